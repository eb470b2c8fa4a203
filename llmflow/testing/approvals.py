"""Approvers of a test: they decide when a run asks."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from time import monotonic
from typing import Any

from llmflow.client import Client, Run
from llmflow.errors import ErrorDetail, InputInvalid, NoWorker, RunNotFound, did_you_mean
from llmflow.types.addresses import base_of
from llmflow.types.approvals import Decide, Question, Receipt, approver
from llmflow.types.lengths import length_problem

AnyRun = Run[Any]  # Any: runs with results of every type
WITHIN = timedelta(seconds=60)
_EVERY = 0.05  # seconds between two reads
_STUCK = 2.0  # seconds for which a run asks another question, and the script has no decision
_GOING_ON = ("running", "continued_as_new")


async def approve_when_asked(
    run: AnyRun,
    approval: str,
    *,
    by: str = "tester",
    comment: str = "",
    form: object = None,
    within: timedelta = WITHIN,
) -> Receipt:
    """Wait until the run asks, then approve.

    Args:
        run: The run.
        approval: Name of the question, such as `publish`, or of one of its rounds: `publish#2`.
        by: The approver.
        comment: Reason for the decision.
        form: Fields of the question's form: its model, or JSON.
        within: Time limit until the run asks.

    Raises:
        DecisionRefused: the decision is invalid; says why.
        AssertionError: the run has ended without asking it, or is past it; it asks something else, and nothing
            changes for two seconds; or it does not ask in time.
    """
    watch = _Watch(run, within)
    while True:
        state = (await run.status()).state
        with suppress(NoWorker):  # it has not begun, or its worker is busy
            questions = (await run.approvals()).questions
            for question in questions:
                if question.status == "open" and _means(approval, question):
                    return await run.approve(question.exact, by=by, comment=comment, form=form)
            if state not in _GOING_ON:
                raise AssertionError(f"run {run.id!r} ended ({state}) without asking {_known([approval], questions)}")
            watch.look([approval], questions)
        watch.check_time([approval])
        await asyncio.sleep(_EVERY)


@asynccontextmanager
async def decider(
    client: Client, run: AnyRun, script: Sequence[Decide], *, within: timedelta = WITHIN
) -> AsyncGenerator[list[Receipt]]:
    """Make the decisions of a script about a run and its children, while the context is open.

    Each decision is sent once, when its question is open and, after an escalation, asks its approver. Decisions about
    one name are sent in their order: to one question with a quorum, or to its rounds.

    ```python
    script = [
        Decide(approval="publish", approved=False, by="ana", comment="too long"),
        Decide(approval="publish", approved=True, by="ana"),
    ]
    async with decider(env.client, run, script) as given:
        assert await run.result() == "published"
    assert [receipt.approval for receipt in given] == ["publish", "publish#2"]
    ```

    Args:
        client: Client of the server.
        run: Run that asks, with its children.
        script: The decisions.
        within: Time limit until the next decision can be sent.

    Yields:
        The receipts of the decisions so far.

    Raises:
        DecisionRefused: one of them is invalid.
        AssertionError: the run has ended without ever asking one of them; it asks something else, and nothing changes
            for two seconds; or the next decision cannot be sent in time. The await of the test is cancelled.
    """
    given: list[Receipt] = []
    over = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:  # noqa: TID251  this runs in a test and not in a workflow
            group.create_task(_decide(client, run, list(script), given, over, within))
            yield given
            over.set()  # and not cancelled: an in-flight decision has its receipt
    except BaseExceptionGroup as failed:  # it would hide from the test what the test itself raises
        raise failed.exceptions[0] from None


async def _decide(
    client: Client, run: AnyRun, script: list[Decide], given: list[Receipt], over: asyncio.Event, within: timedelta
) -> None:
    watch = _Watch(run, within)
    seen: dict[tuple[str, str], Question] = {}
    while script and not over.is_set():
        state, before = (await run.status()).state, len(given)
        now: list[Question] = []
        async for one in _tree(client, run):
            with suppress(NoWorker, RunNotFound):  # it has not begun, its worker is busy, or it has just ended
                questions = (await one.approvals()).questions
                now += questions
                seen |= {(one.id, question.name): question for question in questions}
                for question in questions:
                    await _answer(one, question, script, given)
        if len(given) > before:
            watch = _Watch(run, within)
        elif not over.is_set():
            names = [said.approval for said in script]
            watch.look(names, now)
            watch.check_time(names)
            if state not in _GOING_ON and (never := _not_in(names, seen.values())):
                raise AssertionError(f"run {run.id!r} ended ({state}) without asking {_known(never, seen.values())}")
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), _EVERY)


async def _answer(run: AnyRun, question: Question, script: list[Decide], given: list[Receipt]) -> None:
    """Send one decision; if it leaves the question open, the next read sends the next."""
    said = next((one for one in script if _means(one.approval, question)), None)
    if said and question.status == "open" and not _may_be_asked_later(said.by, question):
        receipt = await run.decide(
            question.exact, approved=said.approved, by=said.by, comment=said.comment, form=said.form
        )
        script.remove(said)
        given.append(receipt)


def _may_be_asked_later(by: str, question: Question) -> bool:
    """True if an escalation, which only a deadline can cause, may still ask this person."""
    return question.deadline is not None and approver(question.approvers, by) is None


class _Watch:
    """Ends a test that waits for a decision that cannot be sent, with the reason."""

    def __init__(self, run: AnyRun, within: timedelta) -> None:
        if problem := length_problem("within", within):
            raise InputInvalid(problem, ErrorDetail(field="within"))
        self._run = run
        self._within = within.total_seconds()
        self._began = self._changed = monotonic()
        self._questions: list[Question] = []

    def look(self, names: Sequence[str], questions: Sequence[Question]) -> None:
        """Check what is asked.

        Raises:
            AssertionError: none of these names is asked, for too long.
        """
        if (now := list(questions)) != self._questions:
            self._questions, self._changed = now, monotonic()
        is_open = [one for one in now if one.status == "open"]
        stuck = is_open and len(_not_in(names, is_open)) == len(names)
        if stuck and monotonic() - self._changed > _STUCK:
            raise AssertionError(f"run {self._run.id!r} waits for people, but does not ask {_known(names, is_open)}")

    def check_time(self, names: Sequence[str]) -> None:
        """Check the time limit.

        Raises:
            AssertionError: the time is up.
        """
        if monotonic() - self._began > self._within:
            known = _known(names, self._questions)
            raise AssertionError(f"run {self._run.id!r} took no decision within {self._within:g} s to {known}")


def _not_in(names: Sequence[str], questions: Iterable[Question]) -> list[str]:
    asked = list(questions)
    return [name for name in names if not any(_means(name, one) for one in asked)]


def _known(names: Sequence[str], questions: Iterable[Question]) -> str:
    """Describe questions, such as `` `payuot` (did you mean `payout`?); it asks payout of ana or bo (open)``."""
    asked = list(questions)
    known = [one.name for one in asked]
    wanted = ", ".join(f"`{name}`{'' if name in known else did_you_mean(name, known)}" for name in dict.fromkeys(names))
    told = ", ".join(f"`{one.name}` of {' or '.join(one.approvers) or 'anyone'} ({one.status})" for one in asked)
    return f"{wanted}; it has asked {told or 'nothing'}"


async def _tree(client: Client, run: AnyRun) -> AsyncIterator[AnyRun]:
    yield run
    described = await run.handle.describe()
    for child in described.raw_description.pending_children:
        async for one in _tree(client, client.run(child.workflow_id)):
            yield one


def _means(name: str, question: Question) -> bool:
    return name in (base_of(question.name), question.exact)
