"""A race: the first good answer wins."""

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
    """The first good answer: `await flow.race(self.ask_here, self.ask_there, good=lambda answer: answer.sure)`.

    The others are cancelled, and have ended when it returns; what they were paid is in the run's totals. It is a step
    named `race`, and the calls of its second branch have ids such as `race[1]/complete#1`.

    Args:
        branches: Async functions without arguments.
        good: Says whether an answer may win; every answer may if left out.

    Raises:
        FanOutFailed: each branch failed, or gave an answer that is not good.
        InputInvalid: there is no branch; or `good` is async.
    """
    if not branches:
        raise InputInvalid("race needs at least one branch", ErrorDetail(field="branches"))
    if good and (isinstance(cast(object, good), Tool) or inspect.iscoroutinefunction(good)):
        # What it gives is always true.
        raise InputInvalid(
            f"`{name_of(good)}` is async: `good` says at once whether an answer may win. Ask in the branch, and give"
            " what it says with the answer",
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
            f"none of {len(branches)} branches gave a good answer; {next(iter(losers))}",
            ErrorDetail(failures=tuple(losers)),
        ) from next((error for error in losers.values() if error), None)


def _failure(task: asyncio.Task[R]) -> Exception | None:
    """Why a branch lost; what means the whole run is raised."""
    if task.cancelled():
        return cancelled_within()
    error = task.exception()
    if isinstance(error, workflow.NondeterminismError) or not isinstance(error, Exception | None):
        raise error
    return error
