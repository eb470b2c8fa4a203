"""Tools as data: what a model is told of one, and what a workflow and a worker know of it."""

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, ParamSpec, TypeVar, cast

from pydantic import BaseModel, JsonValue, TypeAdapter

from llmflow.errors import InputInvalid
from llmflow.types.base import CompactWire

P = ParamSpec("P")
R = TypeVar("R")


class ToolSpec(CompactWire):
    """A tool as a model sees it."""

    name: str
    description: str
    json_schema: dict[str, JsonValue]
    """Of the arguments: an object."""


@dataclass(frozen=True, kw_only=True)
class Tool(Generic[P, R]):
    """A typed function that may be called as an activity of its own name. `llmflow.tools.tool` makes one.

    It carries everything itself and stands in no registry, because the sandbox runs the modules of users again
    for every run.
    """

    name: str
    description: str
    function: Callable[P, R | Awaitable[R]]
    arguments: type[BaseModel]
    """Made from the function's parameters; unknown arguments are errors."""
    output: TypeAdapter[R]
    """Of the function's return annotation."""
    timeout: timedelta
    """Of one attempt."""
    attempts: int
    """At most this many, before the failure reaches the workflow."""
    approval: bool = False
    """Whether people are asked before a workflow calls it."""

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function here: in a thread of its own if it is sync.

        Raises:
            InputInvalid: here is workflow code, which would do the work again whenever its history is replayed.
        """
        from temporalio import workflow  # here, so that a command line that only reads reports does without the SDK

        if workflow.in_workflow():
            raise InputInvalid(
                f"tool {self.name!r} was called as a function in workflow code: use"
                f" `await flow.call_tool({self.function.__name__}, ...)`, which runs it on a worker, once"
            )
        if inspect.iscoroutinefunction(self.function):
            return await cast(Awaitable[R], self.function(*args, **kwargs))
        function = cast(Callable[P, R], self.function)
        context = contextvars.copy_context()
        return await _in_a_thread(self.name, lambda: context.run(function, *args, **kwargs))

    @property
    def spec(self) -> ToolSpec:
        """What a model is told."""
        schema = cast(dict[str, JsonValue], self.arguments.model_json_schema())
        return ToolSpec(name=self.name, description=self.description, json_schema=schema)


async def _in_a_thread(name: str, work: Callable[[], R]) -> R:
    """Run it in a new daemon thread.

    A pool would make calls wait for each other while their time runs, and Python waits at its end for the threads of
    every pool: one stuck call would keep the process. How many calls run at once is the worker's to limit.
    """
    result: Future[R] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # whatever it is, it belongs to the one who waits
            result.set_exception(error)

    result.set_running_or_notify_cancel()  # from here on, who gives up waiting cannot cancel what the thread sets
    threading.Thread(target=run, name=f"tool-{name}", daemon=True).start()
    return await asyncio.wrap_future(result)


AnyTool = Tool[Any, Any]  # Any: a collection of tools has tools of every signature
