"""Tools in workflow code."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import ParamSpec, TypeVar, cast

from pydantic import JsonValue
from temporalio.common import RawValue

from llmflow.errors import ToolNotFound, ToolOutputInvalid, ToolRefused
from llmflow.flow.approvals.approval import approval, rejection
from llmflow.flow.arguments import a_tool
from llmflow.flow.execute import execute, execute_local_tool
from llmflow.flow.misfits import block
from llmflow.flow.run import effect, held, kept
from llmflow.types.calls import AnyTool, Tool
from llmflow.types.contracts import Activity
from llmflow.types.conversations import KeptResult
from llmflow.types.texts import one_line

P = ParamSpec("P")
R = TypeVar("R")

MAX_SUMMARY = 60
"""Characters of a summary; it is in the history with each call."""


async def call(function: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function; a tool as an activity, because a direct call would do its work in the workflow."""
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

    Timeouts, retry policy and task queue are the tool's own, see `flow.CallOptions`. For one call,
    `search.with_options(task_queue="gpu")` returns the same tool with other options. For a tool with
    `@tool(approval=True)`, the run first asks for approval of the arguments; the question has the tool's name, see
    `flow.approval`.

    Raises:
        InputInvalid: the first argument is not a tool.
        ToolArgumentsInvalid: the arguments do not fit the tool's signature; the message names the field.
        ToolNotFound: for 90 minutes, or the tool's `schedule_to_close_timeout`, no worker of the task queue served it.
        ToolOutputInvalid: the result does not fit the tool's return annotation.
        ToolRefused: the tool refused the call, or an approver did.
        ActivityError: all attempts failed with another error.
    """
    a_tool("tool", tool)
    arguments = tool.bind(*args, **kwargs)
    if tool.approval:
        decision = await approval(tool.name, arguments, details=tool.spec.description)
        if not decision.approved:
            raise ToolRefused(rejection(decision))
    contract = Activity[dict[str, JsonValue], RawValue](tool.name, dict[str, JsonValue], RawValue)
    with _marked(tool.effect):
        address, raw = await execute(
            contract, arguments, verb=tool.name, options=tool.options, summary=_summary(arguments)
        )
    try:
        return tool.read(raw.payload.data or b"null")
    except ToolOutputInvalid as error:  # the tool's worker has accepted it
        await block(address, error.message)


async def call_for_agent(tool: AnyTool, arguments: dict[str, JsonValue], is_local: bool) -> KeptResult:
    """Call a tool with the arguments that a model wrote; the store keeps the result, and the history has a preview.

    Args:
        tool: The tool.
        arguments: The arguments, by name.
        is_local: True for a local activity. If this worker lacks the tool, any worker may run it, as an activity.

    Raises:
        LLMFlowError, ActivityError: see `call_tool`.
    """
    contract = Activity[dict[str, JsonValue], KeptResult](tool.name, dict[str, JsonValue], KeptResult)
    with held(kept, True):
        if is_local:
            with suppress(ToolNotFound):
                return await execute_local_tool(contract, arguments, tool.options)
        with _marked(tool.effect):
            _, result = await execute(
                contract, arguments, verb=tool.name, options=tool.options, summary=_summary(arguments)
            )
        return result


def _summary(arguments: Mapping[str, JsonValue]) -> str:
    """Return the short arguments for people who read a history: `query=saga, limit=4`."""
    given = [f"{name}={value}" for name, value in arguments.items() if isinstance(value, str | int | float)]
    return one_line(", ".join(given))[:MAX_SUMMARY]


def _marked(is_effect: bool) -> AbstractContextManager[None]:
    """Mark the activities in this context as effects, or leave the mark as it is."""
    return held(effect, is_effect or effect.get())
