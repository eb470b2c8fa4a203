"""Concurrent branches of a run. None outlives the code that started it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar, TypeVarTuple, cast

from temporalio import workflow
from temporalio.exceptions import CancelledError, is_cancelled_exception

from llmflow.errors import CompensationFailed
from llmflow.flow.run import CurrentRun, label, path, this_task
from llmflow.flow.tools import call
from llmflow.types.addresses import branched

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Outcome(Generic[R]):
    """The outcome of one item of a fan-out."""

    index: int
    """Index of the item, from 0."""
    label: str | None = None
    """Label of the item, if the fan-out has labels."""
    value: R | None = None
    """Result of the function; `None` if it failed."""
    error: Exception | None = None
    """Error of the function; `None` if it succeeded."""

    @property
    def ok(self) -> bool:
        """True if the function succeeded."""
        return self.error is None


async def run_items(
    items: Sequence[T],
    function: Callable[[T], Awaitable[R]],
    *,
    first: int,
    limit: int,
    labels: Sequence[str] | None,
    ended: Callable[[Outcome[R]], None],
    full: Callable[[], bool] = lambda: False,
) -> None:
    """Call the function with each item in order, up to `limit` concurrently, until the run is `full`.

    The items are branches of the open step: item 3 of `investigate` has the path `investigate[3]`.

    Args:
        items: The items.
        function: Function of an item.
        first: Index of the first item.
        limit: Upper limit of concurrent items.
        labels: A label for each item; `None` without labels.
        ended: Called with each outcome. Its error cancels all other items, and is raised when they have ended.
        full: Called before each item; once it returns True, no more items start.
    """
    waiting = iter(enumerate(items, first))
    here = path.get()

    async def one_after_the_other() -> None:
        while not full() and (found := next(waiting, None)):
            index, item = found
            name = labels[index - first] if labels else None
            ended(await _outcome(index, name, _labelled(name, here, index, function, item)))

    await together([one_after_the_other() for _ in range(min(limit, len(items)))])


async def branch(here: tuple[str, ...], index: int, function: Callable[[*Ts], Awaitable[R]], *args: *Ts) -> R:
    """Run a branch of the step at `here`, under its own path: a context variable, so each branch must be a task."""
    path.set((*here[:-1], branched(here[-1], index)))
    with one_error():
        return await call(function, *args)


async def _labelled(
    name: str | None, here: tuple[str, ...], index: int, function: Callable[[T], Awaitable[R]], item: T
) -> R:
    """Run a branch under the label of its item; without one, the label of the item around the fan-out stays."""
    if name is not None:
        label.set(name)
    return await branch(here, index, function, item)


async def _outcome(index: int, name: str | None, coroutine: Coroutine[object, object, R]) -> Outcome[R]:
    """Run a branch and return its outcome. Errors are data, except those of the whole run.

    People must look at what could not be undone, so that a saga's `CompensationFailed` is no data either.
    """
    worker = this_task()
    try:
        outcome = Outcome(index=index, label=name, value=await asyncio.create_task(coroutine))
    except (workflow.NondeterminismError, CompensationFailed):  # the first is a bug in workflow code, not in an item
        raise
    except Exception as error:  # of any class, from the user's function
        outcome = Outcome[R](index=index, label=name, error=error)
    except asyncio.CancelledError:
        outcome = Outcome[R](index=index, label=name, error=cancelled_within())
    if worker.cancelling():  # the branch may have finished anyway
        raise asyncio.CancelledError
    return outcome


def cancelled_within() -> CancelledError:
    """Make the error of a branch that cancelled itself."""
    return CancelledError("cancelled by its own code")


async def together(branches: Sequence[Coroutine[object, object, None]]) -> None:
    """Await all branches. The first failure cancels the others, and is raised when all have ended."""
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
    """Await a task to its end, also if the caller is cancelled meanwhile; return True if it was.

    Raises:
        Exception: the error of the task.
    """
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():  # the run is evicted from the sticky cache
                raise
            cancelled = True
    return cancelled


async def stop(tasks: Sequence[asyncio.Task[R]]) -> None:
    """Cancel tasks and await their end, also if the caller is cancelled meanwhile."""
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
            task.exception()  # retrieved, because asyncio logs exceptions that are never retrieved
    if cancelled:
        raise asyncio.CancelledError


async def end_branches(run: CurrentRun) -> None:
    """Cancel orphaned branches and await them before the run closes, so that their cost is counted.

    Raises:
        CompensationFailed: a saga in one of them could not compensate.
    """
    tasks = run.branches.open()
    await stop(tasks)
    for task in tasks:
        if not task.cancelled() and isinstance(failure := task.exception(), CompensationFailed):
            raise failure


@contextmanager
def one_error() -> Generator[None]:
    """Raise one error of an `asyncio.TaskGroup`'s exception group: Temporal retries the workflow task on a group.

    It is the first error that is not a cancellation, which the group itself caused. The TimeoutError of
    `asyncio.timeout` gets a message.
    """
    try:
        yield
        return
    except TimeoutError as error:
        if error.args:
            raise
        raise TimeoutError("a timeout in the workflow's code is over") from error
    except BaseExceptionGroup as group:
        leaves = list(_leaves(group))
    # Outside of `except`, so that the group does not become the cause of its own part.
    raise next((leaf for leaf in leaves if not is_cancelled_exception(leaf)), asyncio.CancelledError())


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in cast(BaseExceptionGroup[BaseException], error).exceptions:
            yield from _leaves(inner)
    else:
        yield error
