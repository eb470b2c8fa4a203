"""Tools in workflow code."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import ParamSpec, TypeVar, cast

from pydantic import JsonValue
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from llmflow.errors import ToolNotFound, ToolRefused
from llmflow.flow.approvals.approval import approval, rejection
from llmflow.flow.arguments import a_tool
from llmflow.flow.execute import execute
from llmflow.types.calls import Tool
from llmflow.types.contracts import Activity

P = ParamSpec("P")
R = TypeVar("R")


async def call(function: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call what may be a tool: that one as an activity, because a call of its own would do its work in the workflow."""
    if isinstance(function, Tool):
        return await call_tool(cast(Tool[P, R], function), *args, **kwargs)
    if isinstance(cast(object, function), partial):
        bound = cast("partial[Awaitable[R]]", function)
        if isinstance(bound.func, Tool):
            function = cast(
                Callable[P, Awaitable[R]],
                partial(call_tool, cast(Tool[..., R], bound.func), *bound.args, **bound.keywords),
            )
    return await function(*args, **kwargs)


async def call_tool(tool: Tool[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a tool as an activity of its own name: `await flow.call_tool(search, query="saga")`.

    Its time limits, retry policy and task queue are the tool's own, see `flow.CallOptions`; for one call,
    `search.with_options(task_queue="gpu")` is the same tool with others. A tool with `@tool(approval=True)` is called
    when people have approved its arguments: the question has the name of the tool, see `flow.approval`.

    Raises:
        InputInvalid: it is no tool.
        ToolArgumentsInvalid: the arguments do not fit the tool's signature; names the field.
        ToolNotFound: no worker of this task queue serves the tool.
        ToolOutputInvalid: the tool returned what its annotation forbids.
        ToolRefused: the tool itself says no, or people do.
        ActivityError: the tool raised something else, after all its attempts.
    """
    a_tool("tool", tool)
    arguments = tool.bind(*args, **kwargs)
    if tool.approval:
        decision = await approval(tool.name, arguments, details=tool.spec.description)
        if not decision.approved:
            raise ToolRefused(rejection(decision))
    # RawValue: a result that does not fit must be an error the workflow can catch, not a task that fails for ever.
    contract = Activity[dict[str, JsonValue], RawValue](tool.name, dict[str, JsonValue], RawValue)
    try:
        _, raw = await execute(contract, arguments, verb=tool.name, options=tool.options)
    except ActivityError as error:
        if _is_unserved(error.cause, tool.name):
            raise ToolNotFound(f"no worker here serves tool {tool.name!r}: add it to its App(tools=[...])") from error
        raise
    return tool.read(raw.payload.data or b"null")


def _is_unserved(cause: BaseException | None, name: str) -> bool:
    """Temporal's own answer, told apart from a `NotFoundError` of the tool by its words."""
    is_not_found = isinstance(cause, ApplicationError) and cause.type == "NotFoundError"
    return is_not_found and f"Activity function {name} " in str(cause)
