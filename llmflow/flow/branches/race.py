"""A race of branches: the first good result wins."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from temporalio import workflow

from llmflow.errors import ErrorDetail, FanOutFailed, InputInvalid
from llmflow.flow.branches.branches import branch, cancelled_within, stop
from llmflow.flow.failures import described
from llmflow.flow.functions import name_of
from llmflow.flow.run import path
from llmflow.flow.steps import step
from llmflow.types.addresses import branched
from llmflow.types.calls import Tool

R = TypeVar("R")


async def race(*branches: Callable[[], Awaitable[R]], good: Callable[[R], bool] | None = None) -> R:
    """Return the first good result: `await flow.race(self.ask_here, self.ask_there, good=lambda answer: answer.sure)`.

    It cancels and awaits the other branches; their cost is in the run's totals. It is a step named `race`, and the
    calls of its second branch have ids such as `race[1]/complete#1`.

    Args:
        branches: Async functions without arguments.
        good: Returns True for a result that may win; by default every result may.

    Raises:
        FanOutFailed: each branch failed, or its result is not good.
        InputInvalid: no branch was given, or `good` is async.
    """
    if not branches:
        raise InputInvalid("race needs at least one branch", ErrorDetail(field="branches"))
    if good and (isinstance(cast(object, good), Tool) or inspect.iscoroutinefunction(good)):
        # Its coroutine would always be true.
        raise InputInvalid(
            f"`{name_of(good)}` is async, but `good` must be a plain function: call it in the branch, and return its"
            " verdict with the result",
            ErrorDetail(field="good"),
        )
    async with step("race"):
        here = path.get()
        tasks = [asyncio.create_task(branch(here, index, one)) for index, one in enumerate(branches)]
        losers: dict[str, Exception | None] = {}
        pending = list(tasks)
        try:
            while pending:
                done, pending = await workflow.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    if (error := _failure(task)) is None and (good is None or good(task.result())):
                        return task.result()
                    losers[f"{branched('race', tasks.index(task))}: {described(error) if error else 'not good'}"] = (
                        error
                    )
        finally:
            await stop(tasks)
        raise FanOutFailed(
            f"none of {len(branches)} branches returned a good result; {next(iter(losers))}",
            ErrorDetail(failures=tuple(losers)),
        ) from next((error for error in losers.values() if error), None)


def _failure(task: asyncio.Task[R]) -> Exception | None:
    """Return the error of a branch; raise errors of the whole run."""
    if task.cancelled():
        return cancelled_within()
    error = task.exception()
    if isinstance(error, workflow.NondeterminismError) or not isinstance(error, Exception | None):
        raise error
    return error
