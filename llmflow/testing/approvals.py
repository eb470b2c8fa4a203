"""People of a test: they answer when a run asks."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from llmflow.client import Client, Run
from llmflow.errors import NoWorker, RunNotFound
from llmflow.types.approvals import Decide, Question, Receipt, base_of

AnyRun = Run[Any]  # Any: runs with results of every type
_EVERY = 0.05  # seconds between two looks


async def approve_when_asked(
    run: AnyRun, approval: str, *, by: str = "tester", comment: str = "", form: object = None
) -> Receipt:
    """Wait until the run asks, then say yes. It waits as long as the run may still ask.

    Args:
        run: Which run.
        approval: Name of the question, such as `publish`, or of one of its rounds: `publish#2`.
        by: Who says so.
        comment: Why.
        form: What the question's form asks for: its model, or JSON.

    Raises:
        DecisionRefused: the run does not count it; says why.
        AssertionError: the run has ended without asking it, or is past it.
    """
    while True:
        state = (await run.status()).state
        with suppress(NoWorker):  # it has not begun, or its worker is busy
            for question in (await run.approvals()).questions:
                if question.status == "open" and _means(approval, question):
                    return await run.approve(question.exact, by=by, comment=comment, form=form)
            if state not in ("running", "continued_as_new"):
                raise AssertionError(f"run {run.id!r} ended ({state}) without asking `{approval}`")
        await asyncio.sleep(_EVERY)


@asynccontextmanager
async def decider(client: Client, run: AnyRun, script: Sequence[Decide]) -> AsyncGenerator[list[Receipt]]:
    """Answer what a run and its children ask, while the context is open.

    Each answer of the script is given once, when its question is open; those to one name in their order: to one
    question with a quorum, or to its rounds.

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
        client: Which server.
        run: Whose questions.
        script: Who says what.

    Yields:
        What the answers did, so far.

    Raises:
        DecisionRefused: the run does not count one of them; whatever the test waits for is cancelled.
    """
    given: list[Receipt] = []
    over = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:  # noqa: TID251  this runs in a test and not in a workflow
            group.create_task(_decide(client, run, list(script), given, over))
            yield given
            over.set()  # and not cancelled: a decision that is under way has its receipt
    except BaseExceptionGroup as failed:  # it would hide from the test what the test itself raises
        raise failed.exceptions[0] from None


async def _decide(client: Client, run: AnyRun, script: list[Decide], given: list[Receipt], over: asyncio.Event) -> None:
    while script and not over.is_set():
        async for one in _tree(client, run):
            with suppress(NoWorker, RunNotFound):  # it has not begun, its worker is busy, or it has just ended
                for question in (await one.approvals()).questions:
                    await _answer(one, question, script, given)
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), _EVERY)


async def _answer(run: AnyRun, question: Question, script: list[Decide], given: list[Receipt]) -> None:
    """Give one answer; if it leaves the question open, the next look gives the next."""
    said = next((one for one in script if _means(one.approval, question)), None)
    if said and question.status == "open":
        receipt = await run.decide(
            question.exact, approved=said.approved, by=said.by, comment=said.comment, form=said.form
        )
        script.remove(said)
        given.append(receipt)


async def _tree(client: Client, run: AnyRun) -> AsyncIterator[AnyRun]:
    yield run
    described = await run.handle.describe()
    for child in described.raw_description.pending_children:
        async for one in _tree(client, client.run(child.workflow_id)):
            yield one


def _means(name: str, question: Question) -> bool:
    return name in (base_of(question.name), question.exact)
