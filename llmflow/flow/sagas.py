"""Sagas: compensations undo completed actions when a later one fails."""

import asyncio
import inspect
import itertools
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, TypeVar, TypeVarTuple, cast

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from llmflow.errors import (
    CompensationFailed,
    ErrorDetail,
    ForkStopped,
    InputInvalid,
    LLMFlowError,
    PayloadTooLarge,
    ToolArgumentsInvalid,
)
from llmflow.flow.arguments import invalid
from llmflow.flow.branches.branches import finished
from llmflow.flow.failures import described, innermost, lacks, may_pass
from llmflow.flow.forks import stand
from llmflow.flow.functions import code_of, name_of
from llmflow.flow.run import current, held, key, path, this_task, undoing
from llmflow.flow.steps import step
from llmflow.flow.tools import call
from llmflow.types.addresses import joined
from llmflow.types.calls import Tool
from llmflow.types.keys import SharedKey
from llmflow.types.steps import UNDO, Compensation, CompensationStatus

Ts = TypeVarTuple("Ts")
R = TypeVar("R")
Act = Callable[..., Awaitable[Any]]  # Any: actions have every signature and every result

ROUNDS = 10
"""Rounds of a compensation, each with all its own attempts."""
FIRST_PAUSE = timedelta(seconds=10)
"""Pause between the first two rounds. Pauses double: the last round starts about an hour and a half after the first."""
MAX_ERROR = 300
"""Characters of a compensation's error in the report."""


@dataclass(frozen=True, kw_only=True)
class _Undo:
    """A registered compensation."""

    key: str
    path: tuple[str, ...]
    """Address of the action's step."""
    undo: Act
    args: tuple[Any, ...]  # Any: as `Act`


class Saga:
    """Actions that are undone together: `async with flow.Saga() as saga: await saga.do(book, request, undo=cancel)`.

    When an error leaves the block (a cancellation or a rejected approval included), the saga compensates every action
    that has started, the latest first. In-flight actions of other branches are cancelled, awaited, then compensated. A
    cancellation of the run meanwhile takes effect afterwards. Then the error propagates; if a compensation failed,
    `CompensationFailed` propagates instead, with the error as its cause. When the block ends without an error, nothing
    is undone, not by an outer saga either.

    If an uncaught bug (say `KeyError`) triggers compensation, the run fails. Elsewhere a bug only fails the workflow
    task. Fixed code would not compensate, so it could not replay the run's history.

    A compensation that fails does not stop the others. It is retried after a pause of 10 s, 20 s, 40 s and so on, 10
    rounds in an hour and a half, unless a retry cannot help, as for `ToolRefused`. For a tool that no worker serves it
    waits without end, and `llmflow status` says for which. A run that is terminated, or reaches
    its own execution timeout, compensates nothing: give runs with sagas no timeout.

    Raises:
        CompensationFailed: a compensation failed; `detail.compensations` has the outcome of each.
    """

    def __init__(self, *, parallel: bool = False) -> None:
        """Make a saga; open it with `async with`.

        Args:
            parallel: Run all compensations at once; for actions whose order does not matter.
        """
        self._parallel = parallel
        self._open = False
        self._acting: list[asyncio.Task[Any]] = []  # Any: tasks of the user's code
        self._undos: list[_Undo] = []

    async def __aenter__(self) -> Self:
        """Open the saga."""
        self._run, self._open, self._undos = current(), True, []
        self._task = self._run.branches.begin()
        return self

    async def do(
        self,
        action: Callable[[*Ts], Awaitable[R]],
        *args: *Ts,
        undo: Callable[[*Ts], Awaitable[Any]],  # Any: its result is dropped
    ) -> R:
        """Run an action that `undo` can compensate, in a step of the action's name, and return its result.

        The compensation is registered before the action starts and is called with the same arguments. It does not get
        the action's result: the action may fail half-way, or its result may be lost. So find the effect by the
        arguments or by `llmflow.tools.idempotency_key()`, which both share, and succeed if there is none.

        Args:
            action: A tool, called as `flow.call_tool` does, or an async function of workflow code.
            args: Arguments of both, by position: their parameters may have different names.
            undo: An idempotent tool or async function. Call an action that needs no compensation without `do`.

        Raises:
            InputInvalid: the saga is not open, or the arguments do not fit `undo`; the action was not started.
            Exception: any error of the action.
        """
        _must_fit("action", action, args)
        _must_fit("undo", undo, args)
        if not self._open:
            raise InputInvalid("this saga is not open: call `do` inside `async with flow.Saga() as saga:`")
        async with step(name_of(action)):
            one = self._register(path.get(), undo, args)
            task = this_task()
            self._acting.append(task)
            try:
                with _sharing(one.key):
                    return await call(action, *args)
            except (ToolArgumentsInvalid, PayloadTooLarge) as error:
                if isinstance(action, Tool) and not _is_of_result(error):  # it was never called
                    self._undos.remove(one)
                    self._note(one, "not needed")
                raise
            finally:
                self._acting.remove(task)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the saga; after an error, compensate.

        Raises:
            CompensationFailed: a compensation failed.
        """
        self._open = False
        try:
            await self._end(error)
        finally:
            self._run.branches.end(self._task)

    async def _end(self, error: BaseException | None) -> None:
        if error is None:
            for one in self._undos:
                self._note(one, "not needed")
            if self._undos:
                await stand(self._run, [joined(one.path) for one in self._undos])
        # Other exceptions are Temporal's own: a run that continues as new, or is evicted from the sticky cache.
        elif isinstance(error, Exception | asyncio.CancelledError) and self._undos:
            if isinstance(error, Exception) and not workflow.is_failure_exception(error):
                self._run.sagas.undo_for_a_bug()
            cancelled = await finished(asyncio.create_task(self._undo_all()))
            records = [self._run.sagas.record(one.key) for one in self._undos]
            if any(record.status == "failed" for record in records):
                raise _failed(records) from error
            if cancelled and not is_cancelled_exception(error):
                raise asyncio.CancelledError from error

    def _register(self, here: tuple[str, ...], undo: Act, args: tuple[Any, ...]) -> _Undo:  # Any: as `Act`
        one = _Undo(key=self._run.keys.of_action(here), path=here, undo=undo, args=args)
        self._undos.append(one)
        self._run.sagas.register(Compensation(name=name_of(undo), path=joined(here), key=one.key, status="ready"))
        return one

    async def _undo_all(self) -> None:
        """Run the compensations in rounds; each round retries those that failed."""
        for task in self._acting:  # of orphaned branches
            task.cancel()
        await workflow.wait_condition(lambda: not self._acting)
        undoing.set(True)  # in this task alone
        waiting: Sequence[_Undo] = self._undos[::-1]
        for number in itertools.count(1):
            if self._parallel:
                again = await asyncio.gather(*(self._undo(one, number) for one in waiting))
            else:
                again = [await self._undo(one, number) for one in waiting]
            waiting = [one for one, wanted in zip(waiting, again, strict=True) if wanted]
            if not waiting:
                return
            names = ", ".join(name_of(one.undo) for one in waiting)
            pause = FIRST_PAUSE * 2 ** (min(number, ROUNDS - 1) - 1)
            await workflow.sleep(pause, summary=f"undo again: {names}"[:200])

    async def _undo(self, one: _Undo, number: int) -> bool:
        """Run a compensation in the round of that number; return True if it should be retried."""
        self._note(one, "undoing")
        path.set(one.path)  # of this task alone
        try:
            async with step(UNDO):
                with _sharing(one.key):
                    await call(one.undo, *one.args)
        except (Exception, asyncio.CancelledError) as error:  # of any class: the others are still compensated
            if isinstance(innermost(error), ForkStopped):  # the action is one of the run that was forked
                self._note(one, "not needed", described(error)[:MAX_ERROR])
                return False
            again = lacks(error) or (may_pass(error) and number < ROUNDS)
            self._note(one, "undoing" if again else "failed", described(error)[:MAX_ERROR])
            return again
        self._note(one, "undone")
        return False

    def _note(self, one: _Undo, status: CompensationStatus, error: str | None = None) -> None:
        self._run.sagas.note(one.key, status, error)
        self._run.show()


def _sharing(text: str) -> AbstractContextManager[None]:
    """Give calls in this context the key."""
    return held(key, SharedKey(text, path.get()))


def _is_of_result(error: LLMFlowError) -> bool:
    """Return True if a tool's result was too large. Arguments that are too large are refused before the call."""
    return isinstance(error, PayloadTooLarge) and isinstance(error.__cause__, ActivityError)


def _must_fit(field: str, what: Act, args: tuple[Any, ...]) -> None:  # Any: as `Act`
    """Refuse an unusable function before the action starts, rather than during compensation."""
    if field == "undo" and cast(object, what) is None:
        raise _unfit(
            "undo",
            "undo=None: call an action that needs no compensation inside the block without `do`, a tool by"
            " `await flow.call_tool(...)`",
        )
    name, function = name_of(what), code_of(what)
    if not callable(function):
        raise _unfit(
            field,
            f"{what!r:.100} cannot be called: give the tool or the function itself, followed by its arguments",
        )
    try:
        inspect.signature(function).bind(*args)
    except TypeError as error:
        raise _unfit(
            "args", f"{name}: {error}; action and undo are called with the same arguments, by position"
        ) from None


def _unfit(field: str, problem: str) -> InputInvalid:
    return invalid(field, f"saga: {problem}")


def _failed(records: Sequence[Compensation]) -> CompensationFailed:
    failed = [record for record in records if record.status == "failed"]
    undone = [record.path for record in records if record.status == "undone"]
    what = "; ".join(f"{record.path} ({record.name}: {record.error})" for record in failed)
    return CompensationFailed(
        f"{len(failed)} of {len(records)} could not be undone, look after them: {what}. "
        f"Undone: {', '.join(undone) or 'nothing'}",
        ErrorDetail(compensations=tuple(_line(record) for record in records)),
    )


def _line(record: Compensation) -> str:
    if record.status == "undone":
        return f"{record.path}: undone by {record.name}"
    return f"{record.path}: NOT undone, {record.name} failed: {record.error}; key {record.key}"
