"""Branches of a run that go on at the same time: none of them outlives the code that began it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar, TypeVarTuple, cast

from temporalio import workflow
from temporalio.exceptions import CancelledError, is_cancelled_exception

from llmflow.errors import CompensationFailed
from llmflow.flow.run import CurrentRun, path, this_task
from llmflow.flow.tools import call
from llmflow.types.addresses import branched

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Outcome(Generic[R]):
    """What became of one item of a fan-out."""

    index: int
    """Of the item, from 0."""
    value: R | None = None
    """What the function returned; `None` where it failed."""
    error: Exception | None = None
    """What it raised."""

    @property
    def ok(self) -> bool:
        """Whether the function returned."""
        return self.error is None


async def run_items(
    items: Sequence[T],
    function: Callable[[T], Awaitable[R]],
    *,
    first: int,
    limit: int,
    ended: Callable[[Outcome[R]], None],
    full: Callable[[], bool] = lambda: False,
) -> None:
    """Call the function with each item, at most `limit` at once and in their order, until the run is `full`.

    The items are branches of the step that is open: item 3 of `investigate` has the path `investigate[3]`.

    Args:
        items: All that there is to do.
        function: What to do with each.
        first: Number of the first item.
        limit: Never more than so many at once.
        ended: Told of each end. What it raises cancels all others, and is raised when they have ended.
        full: Asked before an item is begun; then no more are.
    """
    waiting = iter(enumerate(items, first))
    here = path.get()

    async def one_after_the_other() -> None:
        while not full() and (found := next(waiting, None)):
            index, item = found
            ended(await _outcome(index, branch(here, index, function, item)))

    await together([one_after_the_other() for _ in range(min(limit, len(items)))])


async def branch(here: tuple[str, ...], index: int, function: Callable[[*Ts], Awaitable[R]], *args: *Ts) -> R:
    """One branch of the step at `here`, under a path of its own. Make it a task: the path is the task's."""
    path.set((*here[:-1], branched(here[-1], index)))
    with one_error():
        return await call(function, *args)


async def _outcome(index: int, coroutine: Coroutine[object, object, R]) -> Outcome[R]:
    """What becomes of a branch. Errors are data here, but for those that mean the whole run."""
    worker = this_task()
    try:
        outcome = Outcome(index=index, value=await asyncio.create_task(coroutine))
    except workflow.NondeterminismError:  # workflow code that must be repaired; no item is to blame
        raise
    except Exception as error:  # of whatever class: it is the user's function
        outcome = Outcome[R](index=index, error=error)
    except asyncio.CancelledError:
        outcome = Outcome[R](index=index, error=cancelled_within())
    if worker.cancelling():  # and the branch may have gone on to its end nevertheless
        raise asyncio.CancelledError
    return outcome


def cancelled_within() -> CancelledError:
    """The error of a branch that cancelled itself: nobody else asked for its end."""
    return CancelledError("cancelled by its own code")


async def together(branches: Sequence[Coroutine[object, object, None]]) -> None:
    """Run them to their end. The first failure cancels the others, and is raised when all have ended."""
    tasks = [asyncio.create_task(one) for one in branches]
    if not tasks:
        return
    try:
        done, _ = await workflow.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        await stop(tasks)
    for task in done:
        task.result()


async def finished(task: asyncio.Task[R]) -> bool:
    """Wait for its end, also if the caller is cancelled, again and again; whether the caller was.

    Raises:
        Exception: what the task raises.
    """
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():  # the run leaves the worker's memory
                raise
            cancelled = True
    return cancelled


async def stop(tasks: Sequence[asyncio.Task[R]]) -> None:
    """Cancel what still runs, and wait for its end, also if the caller itself is cancelled meanwhile."""
    cancelled = False
    for task in tasks:
        task.cancel()
    while pending := [task for task in tasks if not task.done()]:
        try:
            await workflow.wait(pending)
        except asyncio.CancelledError:
            cancelled = True
    for task in tasks:
        if not task.cancelled():
            task.exception()  # looked at: asyncio logs those that nobody has seen
    if cancelled:
        raise asyncio.CancelledError


async def end_branches(run: CurrentRun) -> None:
    """Cancel orphaned branches and await them before the run closes, so that their cost is counted.

    Raises:
        CompensationFailed: a saga in one of them could not be undone.
    """
    tasks = run.branches.open()
    await stop(tasks)
    for task in tasks:
        if not task.cancelled() and isinstance(failure := task.exception(), CompensationFailed):
            raise failure


@contextmanager
def one_error() -> Generator[None]:
    """Raise one error where `asyncio.TaskGroup` raises a group of them, for which Temporal tries the task for ever.

    It is the first that is no cancellation: those are of the tasks that the group then cancelled. And say what was over
    where `asyncio.timeout` says nothing.
    """
    try:
        yield
        return
    except TimeoutError as error:
        if error.args:
            raise
        raise TimeoutError("a time limit in the workflow's code is over") from error
    except BaseExceptionGroup as group:
        leaves = list(_leaves(group))
    # Raised outside of `except`, so that the group does not become the reason of its own part.
    raise next((leaf for leaf in leaves if not is_cancelled_exception(leaf)), asyncio.CancelledError())


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in cast(BaseExceptionGroup[BaseException], error).exceptions:
            yield from _leaves(inner)
    else:
        yield error
