"""`@tool`: makes a tool from a typed function."""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any, ParamSpec, Protocol, TypeVar, Unpack, get_type_hints, overload

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PydanticUndefinedAnnotation,
    PydanticUserError,
    TypeAdapter,
    create_model,
)
from pydantic.fields import FieldInfo
from temporalio.common import RetryPolicy

from llmflow.errors import ConfigInvalid, InputInvalid
from llmflow.tools import docstrings
from llmflow.tools.function import FunctionTool
from llmflow.types.calls import CallArguments, CallOptions

P = ParamSpec("P")
R = TypeVar("R")
AnyFunction = Callable[..., Any]  # Any: tools have every signature
AnyHint = Any  # Any: annotations of the user

DEFAULTS = CallOptions(start_to_close_timeout=timedelta(minutes=1), retry_policy=RetryPolicy(maximum_attempts=4))
"""Default options of a tool's calls."""

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class ToolDecorator(Protocol):
    """The decorator that `tool(...)` with options returns."""

    @overload
    def __call__(self, function: Callable[P, Awaitable[R]], /) -> FunctionTool[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> FunctionTool[P, R]: ...


@overload
def tool(function: Callable[P, Awaitable[R]], /) -> FunctionTool[P, R]: ...
@overload
def tool(function: Callable[P, R], /) -> FunctionTool[P, R]: ...
@overload
def tool(
    *,
    name: str | None = None,
    approval: bool = False,
    effect: bool = False,
    local: bool = False,
    **options: Unpack[CallArguments],
) -> ToolDecorator: ...
def tool(
    function: AnyFunction | None = None,
    /,
    *,
    name: str | None = None,
    approval: bool = False,
    effect: bool = False,
    local: bool = False,
    **options: Unpack[CallArguments],
) -> FunctionTool[..., Any] | ToolDecorator:  # Any: the overloads above have the types
    """Make a tool from a typed function, async or sync (sync functions run in a thread).

    The docstring is the tool's description for the model. Its `Args:` section, or
    `Annotated[str, Field(description=...)]`, describes the parameters. There is no registry.

        @tool
        async def search(query: str, limit: int = 8) -> list[Hit]:
            '''Search the archive.'''

    Args:
        function: Every parameter and the result need an annotation that pydantic can validate.
        name: Name of the tool and of its activity; the function's own by default.
        approval: True if `flow.call_tool` must ask for approval first; the question has the tool's name.
        effect: True if a call changes something outside: it pays, books, sends. A fork takes the recorded result, or
            stops before the call. A tool without it is declared read-only: forks call it again.
        local: True for a tool that only reads and answers within a second or two: agents call it on the worker of their
            workflow, as a local activity, which costs a quarter of the events. A worker that dies calls it again.
        options: Options of its activity, see `flow.CallOptions`; 1 minute and 4 attempts by default. Give a tool that
            moves money `retry_policy=RetryPolicy(maximum_attempts=1)`, and one that needs a GPU a `task_queue`.
            llmflow's errors that a retry cannot change, such as `ToolRefused`, are not retried.

    Raises:
        ConfigInvalid: the function cannot be a tool; the message names it, the parameter, and what to write.
    """

    def decorate(function: AnyFunction, /) -> FunctionTool[..., Any]:  # Any: as above
        own = getattr(function, "__name__", "")
        return _make(function, own if name is None else name, approval, effect, local, options)

    return decorate if function is None else decorate(function)


def _make(
    function: AnyFunction, name: str, approval: bool, effect: bool, local: bool, options: CallArguments
) -> FunctionTool[..., Any]:  # Any: as above
    if not inspect.isfunction(function):
        raise ConfigInvalid(f"@tool takes a function; given: {function!r}; wrap it in a `def` with annotations")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise _mistake(function, "yields, but a tool has one result; return a list")
    if not _NAME.fullmatch(name):
        raise _mistake(function, f"vendors require names like {_NAME.pattern}, not {name!r}; use @tool(name=...)")
    if local and effect:
        raise _mistake(function, "is an effect and local, but a local call may be repeated: choose one")
    try:
        given = CallOptions(**options).over(DEFAULTS)
    except InputInvalid as error:
        raise _mistake(function, error.message) from None
    docstring = docstrings.parse(function)
    if not docstring.description:
        raise _mistake(function, "has no docstring; write one, because it is what a model is told about the tool")
    hints = _hints(function)
    return FunctionTool(
        name=name,
        description=docstring.description,
        function=function,
        arguments=_arguments(function, name, hints, docstring.parameters),
        output=_output(function, hints["return"]),
        options=given,
        approval=approval,
        effect=effect,
        local=local,
    )


def _mistake(function: AnyFunction, what: str) -> ConfigInvalid:
    return ConfigInvalid(f"tool `{function.__module__}.{function.__qualname__}`: {what}")


def _hints(function: AnyFunction) -> dict[str, AnyHint]:
    """Return the annotation of each parameter and of `return`; all must be present."""
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        name, kind = parameter.name, parameter.kind
        if kind not in _KINDS:
            raise _mistake(function, f"parameter `{name}` is {kind.description}; arguments arrive by name, one each")
        if isinstance(parameter.default, FieldInfo):
            # A direct call of the function would get the Field as the value.
            raise _mistake(function, f"write `{name}: Annotated[<type>, Field(...)] = <default>`, not `= Field(...)`")
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise _mistake(
            function, f"{error}; import the names in its annotations at run time, at the top of the module"
        ) from None
    for name in (*(parameter.name for parameter in parameters), "return"):
        if name not in hints:
            what = "the result" if name == "return" else f"parameter `{name}`"
            raise _mistake(function, f"{what} has no annotation, so it cannot be validated; add one")
    return hints


def _arguments(
    function: AnyFunction, name: str, hints: Mapping[str, AnyHint], described: Mapping[str, str]
) -> type[BaseModel]:
    fields: dict[str, tuple[AnyHint, Any]] = {}  # Any: defaults of the user
    for parameter in inspect.signature(function).parameters.values():
        hint = hints[parameter.name]
        if parameter.name in described and not _describes_itself(hint):
            hint = Annotated[hint, Field(description=described[parameter.name])]
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (Annotated[hint, Field(alias=parameter.name)], default)
    try:
        return _model(name, function.__module__, fields)
    except (PydanticUserError, PydanticUndefinedAnnotation):
        # Find the parameter only now, so that modules with tools import fast.
        for parameter, field in fields.items():
            try:
                _model(name, function.__module__, {parameter: field})
            except (PydanticUserError, PydanticUndefinedAnnotation) as error:
                raise _mistake(function, _unfit(f"parameter `{parameter}`", error)) from None
        raise


def _model(name: str, module: str, fields: Mapping[str, tuple[AnyHint, Any]]) -> type[BaseModel]:  # Any: as above
    # Fields are renamed, because BaseModel needs `json`, `schema` and other names; the alias is the user's.
    definitions: dict[str, Any] = {f"p{number}": field for number, field in enumerate(fields.values())}
    model = create_model(
        name, __config__=ConfigDict(extra="forbid", allow_inf_nan=False), __module__=module, **definitions
    )
    model.model_rebuild()  # raises if a class is not defined yet
    return model


def _describes_itself(hint: AnyHint) -> bool:
    return any(isinstance(extra, FieldInfo) and extra.description for extra in getattr(hint, "__metadata__", ()))


def _output(function: AnyFunction, hint: AnyHint) -> TypeAdapter[Any]:  # Any: as `AnyHint`
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint)
        adapter.rebuild()  # as above
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        raise _mistake(function, _unfit("the result", error)) from None
    return adapter


def _unfit(what: str, error: PydanticUserError | PydanticUndefinedAnnotation) -> str:
    return f"pydantic cannot validate the type of {what}: {error.message.partition('. ')[0]}"
