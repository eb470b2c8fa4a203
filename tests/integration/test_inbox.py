"""Answering what runs ask, with `llmflow.client`: the inbox, decisions, and what becomes of them."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue
from temporalio.client import Client as TemporalClient
from temporalio.client import WorkflowUpdateFailedError
from temporalio.worker import Worker

from llmflow.client import Client, Run, connect
from llmflow.client.decisions import send
from llmflow.config import Settings
from llmflow.errors import ApprovalNotFound, DecisionRefused, InputInvalid, NoWorker, RunNotFound
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import Environment, ScriptedProvider, assert_replays, environment
from llmflow.types.approvals import Decide, Question, Receipt
from llmflow.types.contracts import DECIDE, WAITING
from llmflow.types.runs import InboxItem
from llmflow.worker import LLMFlowPlugin
from tests.helpers.waiting import until
from tests.integration.desk import Both, Plain, Publish, Refund, TwoOfThree, app


@pytest.fixture(scope="module")
async def desk(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        yield env


async def asked(run: Run[str]) -> tuple[Question, ...]:
    """Return the open questions, if the run has begun."""
    with suppress(RunNotFound):
        return tuple(one for one in (await run.approvals()).questions if one.status == "open")
    return ()


async def waiting(client: Client, *runs: Run[str], **filters: Any) -> list[InboxItem]:  # Any: arguments of `inbox`
    """Return the inbox items of these runs; other tests have their own runs."""
    return [item for item in (await client.inbox(**filters)).items if item.run in [run.id for run in runs]]


async def test_an_inbox_of_all_runs(desk: Environment) -> None:
    client = desk.client
    first = await client.start(Publish.run, "one", id=desk.id(), tags=["news"], tenant="acme")
    await until(partial(waiting, client, first))
    second = await client.start(TwoOfThree.run, id=desk.id())
    await until(partial(waiting, client, second))

    published, refund = await waiting(client, first, second)
    assert (published.run, published.run_id, published.workflow) == (first.id, first.run_id, "Publish")
    assert (published.tags, published.tenant) == (("news",), "acme")
    assert (published.waiting.name, published.waiting.exact) == ("publish", "publish#1")
    assert published.waiting.title == "Publish **one**?"
    assert published.waiting.deadline is None
    assert (refund.run, refund.waiting.approvers, refund.waiting.quorum) == (second.id, ("ana", "bo", "cy"), 2)
    assert refund.waiting.deadline

    assert [item.run for item in await waiting(client, first, second, workflow="TwoOfThree")] == [second.id]
    assert [item.run for item in await waiting(client, first, second, approver="dan")] == [first.id]
    assert await waiting(client, second, approver=" Ana")
    assert not await waiting(client, first, second, older_than=timedelta(hours=1))
    assert len((await client.inbox(limit=1)).items) == 1
    with pytest.raises(InputInvalid, match="limit=0"):
        await client.inbox(limit=0)

    form = Refund(usd=Decimal(10), reason="late")
    assert await second.approve("refund", by="ana", form=form) == Receipt(approval="refund", status="open", missing=1)
    assert await until(partial(_without, client, second, "ana")), "what she has approved waits for others"
    assert await waiting(client, second, approver="bo")
    await second.approve("refund", by="bo", form=form)
    await first.approve("publish", by="ana")
    assert await second.result() == "10: True by ana, bo"
    assert await first.result() == "one, says ana"
    assert await until(partial(_without, client, second, None))
    for run in (first, second):
        await assert_replays(run, app)


async def _without(client: Client, run: Run[str], approver: str | None) -> bool:
    return not await waiting(client, run, approver=approver)


async def test_an_inbox_needs_neither_attributes_nor_workers(
    desk: Environment, temporal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMFLOW_SEARCH_ATTRIBUTES", '{"approval": null}')
    run = await desk.client.start(Publish.run, "one", id=desk.id())
    strange = await (await TemporalClient.connect(temporal)).start_workflow(
        "Strange", id=desk.id(), task_queue="nobody", memo={WAITING.name: 7}
    )
    found = await until(partial(waiting, desk.client, run))
    assert found[0].waiting.name == "publish"
    await strange.terminate()
    await run.terminate("seen enough")
    assert (await run.status()).approvals == (), "nobody can answer it any more"


async def test_an_answer_that_is_sent_again_counts_once_whatever_is_asked_meanwhile(desk: Environment) -> None:
    run = await desk.client.start(Publish.run, "one", id=desk.id())
    await until(partial(asked, run))
    said = await run.decide("publish", approved=False, by="ana", comment="longer", id="first")
    await until(partial(asked, run))
    assert await run.decide("publish", approved=False, by="ana", comment="longer", id="first") == said
    assert [(one.name, one.status) for one in (await run.approvals()).questions] == [
        ("publish", "rejected"),
        ("publish#2", "open"),
    ]
    await run.terminate("seen enough")


async def test_rounds_and_children(desk: Environment) -> None:
    run = await desk.client.start(Both.run, "one", id=desk.id())
    child = desk.client.run(f"{run.id}-child")
    await until(partial(asked, child))
    assert (await child.reject("publish", by="ana", comment="longer")).approval == "publish"
    await until(partial(asked, child))
    assert await child.approve("publish#2", by="bo") == Receipt(approval="publish#2", status="approved")
    assert (await run.approve("spend", by="cy")).status == "approved"
    assert await run.result() == ["cy", "one, but longer, says bo"]
    report = await child.approvals()
    assert [(one.name, one.status, one.votes[0].by) for one in report.questions] == [
        ("publish", "rejected", "ana"),
        ("publish#2", "approved", "bo"),
    ]


async def test_what_does_not_count_is_refused_and_changes_nothing(desk: Environment) -> None:
    run = await desk.client.start(TwoOfThree.run, id=desk.id())
    await until(partial(asked, run))
    good = {"usd": "12.50", "reason": "late"}
    with pytest.raises(ApprovalNotFound, match="did you mean `refund`"):
        await run.approve("refnd", by="ana", form=good)
    for by, form, field in (
        ("dan", good, "by"),
        ("ana", {"usd": 501, "reason": "late"}, "form"),
        ("ana", None, "form"),
    ):
        with pytest.raises(DecisionRefused) as refused:
            await run.approve("refund", by=by, form=form, id=uuid.uuid4().hex)
        assert refused.value.detail.field == field
    for by, form in (("", good), (" ", good), ("ana", object())):
        with pytest.raises(InputInvalid):
            await run.approve("refund", by=by, form=form, id=uuid.uuid4().hex)
    assert not (await asked(run))[0].votes

    await run.approve("refund", by="ana", form=good)
    assert (await run.approve("refund", by="ana", form=good)).missing == 1, "the same answer twice is one answer"
    with pytest.raises(DecisionRefused) as refused:
        await run.reject("refund", by="ana")
    assert refused.value.detail.field == "approved"
    assert (await run.reject("refund", by="bo")).status == "rejected"
    await run.result()
    with pytest.raises(RunNotFound, match=f"^run '{run.id}' has ended already$"):
        await run.approve("refund", by="cy", form=good)


async def test_without_a_worker_decisions_wait_for_the_run(temporal: str, tmp_path: Path) -> None:
    plugin = LLMFlowPlugin(app, settings=Settings(home=tmp_path), models=ModelCatalogue.only("scripted"), providers={})
    connected = await connect(address=temporal, plugin=plugin)
    client = Client(connected.temporal, f"away-{uuid.uuid4()}")
    run = await client.start(TwoOfThree.run, id=f"away-{uuid.uuid4()}")
    form: JsonValue = {"usd": 5, "reason": "late"}
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await run.reject("refund", by="cy", form=form)
    # More than Temporal keeps of updates that wait for a worker.
    by = ["ana", *(f"no-{number}" for number in range(12)), "bo"]

    async def approve(by: str) -> Receipt:
        decision = Decide(approval="refund", approved=True, by=by, form=form, id=uuid.uuid4().hex)
        return await send(run.handle, decision, within=timedelta(seconds=0.3))

    receipts = [await approve(by[0]), *await asyncio.gather(*map(approve, by[1:]))]
    assert receipts == [Receipt(approval="refund", status="open", missing=None, sent=True)] * len(by)

    async with Worker(connected.temporal, task_queue=str(client.task_queue), workflows=app.workflows):
        assert await run.result() == "5: True by ana, bo"
        assert len((await run.approvals()).refused) == 12
        await assert_replays(run, app)


async def test_a_run_takes_no_answer_before_its_delay_is_over(desk: Environment) -> None:
    run = await desk.client.start(Publish.run, "one", id=desk.id(), start_delay=timedelta(hours=1))
    begins = (await run.handle.describe()).execution_time
    assert begins
    for ask in (partial(run.approve, "publish", by="ana"), partial(run.reject, "publish", by="ana"), run.approvals):
        with pytest.raises(NoWorker, match=f"has not begun: its delay ends at {begins:%Y-%m-%d %H:%M:%S} UTC") as told:
            await ask()
        assert told.value.detail.retry_after
    assert (await run.status()).events == 1, "nothing was sent, and it still waits"

    # An update of Temporal's own begins it before its time. From then on it takes answers.
    with pytest.raises(WorkflowUpdateFailedError):
        await run.handle.execute_update(DECIDE.name, {"approval": "publish", "approved": True, "by": "ana"})
    await until(partial(asked, run))
    await run.approve("publish", by="ana")
    assert await run.result() == "one, says ana"


async def test_a_plain_signal_waits_for_the_end_of_a_delay(desk: Environment) -> None:
    run = await desk.client.start(Publish.run, "one", id=desk.id(), start_delay=timedelta(hours=1))
    await run.handle.signal(DECIDE.name, {"approval": "publish", "approved": True, "by": "ana"})
    assert (await run.status()).events == 2, "it has begun nothing"

    with pytest.raises(WorkflowUpdateFailedError):  # but this has, and the signal is there
        await run.handle.execute_update(DECIDE.name, {"approval": "publish", "approved": True, "by": "bo"})
    assert await run.result() == "one, says ana"


async def test_a_worker_without_the_plugin_takes_no_decisions(desk: Environment, temporal: str) -> None:
    plain = await TemporalClient.connect(temporal)
    async with Worker(plain, task_queue="no-plugin", workflows=[Plain]):
        run = await desk.client.start(Plain.run, id=desk.id(), task_queue="no-plugin")
        with pytest.raises(NoWorker, match="does not use LLMFlowPlugin"):
            await run.approve("publish", by="ana")
        await run.terminate("seen enough")
