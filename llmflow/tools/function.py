"""Tools made from functions, for workflow code and for workers."""

import asyncio
import contextvars
import functools
import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, ParamSpec, Self, TypeVar, Unpack, cast

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError
from pydantic_core import to_json
from temporalio import workflow

from llmflow.errors import ErrorDetail, InputInvalid, ToolArgumentsInvalid
from llmflow.tools.problems import wrong_arguments, wrong_result
from llmflow.types.calls import CallArguments, CallOptions, Tool
from llmflow.types.tools import ToolSpec

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class FunctionTool(Tool[P, R]):
    """A typed function as a tool; `@tool` makes one.

    It is in no registry, which would leak, because the sandbox imports the users' modules anew for every run.
    """

    name: str
    description: str
    function: Callable[P, R | Awaitable[R]]
    arguments: type[BaseModel]
    """Model of the function's parameters; unknown arguments are errors."""
    output: TypeAdapter[R]
    """Adapter of the function's return annotation."""
    options: CallOptions
    approval: bool = False
    effect: bool = False
    local: bool = False

    def __post_init__(self) -> None:
        # Like `functools.wraps`, so that `inspect.signature` and `get_type_hints` see the function.
        names = {name: getattr(self.function, name) for name in functools.WRAPPER_ASSIGNMENTS}
        vars(self).update(names, __wrapped__=self.function)

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function here, in a new thread if it is sync.

        Raises:
            InputInvalid: called in workflow code, which would repeat the work on every replay.
        """
        if workflow.in_workflow():
            raise InputInvalid(
                f"tool {self.name!r} was called as a function in workflow code: use"
                f" `await flow.call_tool({self.function.__name__}, ...)`, which runs it as an activity"
            )
        if inspect.iscoroutinefunction(self.function):
            return await cast(Awaitable[R], self.function(*args, **kwargs))
        function = cast(Callable[P, R], self.function)
        context = contextvars.copy_context()
        return await _in_a_thread(self.name, lambda: context.run(function, *args, **kwargs))

    def with_options(self, **options: Unpack[CallArguments]) -> Self:
        """Return the same tool with other options of its calls: `search.with_options(task_queue="gpu")`."""
        return replace(self, options=CallOptions(**options).over(self.options))

    @property
    def spec(self) -> ToolSpec:
        """See base class."""
        return self._spec

    @functools.cached_property
    def _spec(self) -> ToolSpec:
        schema = cast(dict[str, JsonValue], self.arguments.model_json_schema())
        return ToolSpec(name=self.name, description=self.description, json_schema=schema, local=self.local)

    def bind(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:  # Any: arguments of every type
        """See base class.

        Raises:
            ToolArgumentsInvalid: they do not fit the signature; the message names the parameter.
        """
        try:
            return inspect.signature(self.function).bind(*args, **kwargs).arguments
        except TypeError as error:
            raise ToolArgumentsInvalid(f"tool {self.name!r}: {error}", ErrorDetail(field=_named(str(error)))) from None

    def checked(self, arguments: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """See base class."""
        return _validated(self, arguments).model_dump(mode="json", by_alias=True, exclude_unset=True)

    def read(self, result: bytes) -> R:
        """See base class."""
        try:
            return self.output.validate_json(result, by_alias=True, by_name=True)
        except ValidationError as error:
            raise wrong_result(self.name, error) from None

    def specs(self) -> Sequence[ToolSpec]:
        """See `ToolSource`."""
        return (self.spec,)

    async def call(self, name: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """See `ToolSource`."""
        # By name, as `read` does: a model may read its alias and write another one, and loses the value in silence.
        value: JsonValue = self.output.dump_python(await run_tool(self, arguments), mode="json", by_alias=False)
        return value


async def run_tool(tool: FunctionTool[..., R], arguments: Mapping[str, JsonValue]) -> R:
    """Run a tool with a JSON object of arguments; the function gets decoded values, nested models included.

    Raises:
        ToolArgumentsInvalid: an argument is missing, unknown or of the wrong type; `detail.field` names the first.
        ToolOutputInvalid: the result does not fit the function's return annotation.
        Exception: any error of the function.
    """
    given = _validated(tool, arguments)
    fields = type(given).model_fields.items()
    result = await tool(**{field.alias or name: getattr(given, name) for name, field in fields})
    try:
        return tool.output.validate_python(result)
    except ValidationError as error:
        raise wrong_result(tool.name, error) from None


def _validated(tool: FunctionTool[..., Any], arguments: Mapping[str, JsonValue]) -> BaseModel:  # Any: of every type
    try:
        # JSON mode, because strict types accept more from JSON than from Python, such as a date as text.
        return tool.arguments.model_validate_json(to_json(arguments))
    except ValidationError as error:
        raise wrong_arguments(tool.name, tool.arguments, error) from None


async def _in_a_thread(name: str, work: Callable[[], R]) -> R:
    """Run work in a new daemon thread.

    In a pool, calls would wait for each other while their timeouts run, and one blocked call would keep the process
    alive, because Python joins pool threads at exit. The worker limits the number of concurrent calls.
    """
    result: Future[R] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # of any class: raised in the awaiting task
            result.set_exception(error)

    result.set_running_or_notify_cancel()  # a cancelled caller must not cancel the thread's future
    threading.Thread(target=run, name=f"tool-{name}", daemon=True).start()
    return await asyncio.wrap_future(result)


def _named(message: str) -> str | None:
    """Return the quoted parameter in Python's message, such as: missing a required argument: 'query'."""
    return message.split("'")[1] if "'" in message else None
