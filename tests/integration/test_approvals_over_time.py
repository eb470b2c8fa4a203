"""`flow.approval` while it waits: deadlines, reminders, what people see, cancellation, and runs that continue."""

import base64
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client as TemporalClient
from temporalio.worker import Worker

from llmflow.client import Client, Run, connect
from llmflow.config import Settings
from llmflow.errors import ApprovalExpired, InputInvalid, RunNotCompleted
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import Environment, ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.approvals import Waiting, WaitingList
from llmflow.types.contracts import WAITING
from llmflow.worker import LLMFlowPlugin
from tests.helpers.hasty import server_with
from tests.helpers.model_server import ModelServer, Reply
from tests.helpers.waiting import until
from tests.integration.asking import Ask, AskAll, GiveUp, GoOn, Leave, Terms, app
from tests.integration.test_approvals import asked, no, refused, report, update, yes

AnyRun = Run[Any]  # Any: results of every type


@pytest.fixture(scope="module")
async def env(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider([]), address=temporal) as opened:
        yield opened


async def events(run: AnyRun) -> list[str]:
    """Return the events of a history without its start, its end and its workflow tasks."""
    history = await run.handle.fetch_history()
    names = [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events]
    return [name for name in names if not name.startswith(("WORKFLOW_TASK_", "WORKFLOW_EXECUTION_STARTED"))]


async def failure(run: AnyRun) -> BaseException | None:
    with pytest.raises(RunNotCompleted) as failed:
        await run.result()
    return failed.value.__cause__


async def test_each_way_in_which_the_time_can_be_up(env: Environment) -> None:
    levels = ("cy", ("di", "ed"))
    all_terms = {
        "raise": Terms(days=3, approvers=("ana", "bo"), quorum=2),
        "reject": Terms(days=3, on_timeout="reject"),
        "escalate": Terms(days=3, on_timeout="escalate", approvers=("ana",), escalate=levels),
    }
    runs = {name: await env.client.start(Ask.run, terms, id=env.id()) for name, terms in all_terms.items()}
    for run in runs.values():
        await env.skip(run, timedelta(days=10))

    expired = await failure(runs["raise"])
    assert isinstance(expired, ApprovalExpired)
    assert expired.message == "`publish`: no decision within 3 d; 0 of 2 needed of ana, bo approved"
    said = await runs["reject"].result()
    assert (said.approved, said.by, said.comment) == (False, "timeout", "no decision within 3 d")
    expired = await failure(runs["escalate"])
    assert isinstance(expired, ApprovalExpired)
    assert expired.message.endswith("3 d, at each level; 0 of 1 needed of ana, cy, di, ed approved")

    found = [(await report(run)).questions[0] for run in runs.values()]
    assert [(one.status, one.level) for one in found] == [("expired", 0), ("rejected", 0), ("expired", 2)]
    fired = [(await events(run)).count("TIMER_FIRED") for run in runs.values()]
    assert fired == [1, 1, 3]
    for run in runs.values():
        await assert_replays(run, app)


async def test_whom_it_is_escalated_to_may_decide_and_so_may_those_before(env: Environment) -> None:
    terms = Terms(days=3, on_timeout="escalate", approvers=("ana",), escalate=("bo", "cy"), quorum=1)
    run = await env.client.start(Ask.run, terms, id=env.id())
    await asked(run, "publish")
    assert (await refused(run, yes(by="bo"))).detail.field == "by"

    await env.skip(run, timedelta(days=3))
    assert (await report(run)).questions[0].level == 1
    await update(run, yes(by="bo"))
    assert (await run.result()).by == "bo"
    await assert_replays(run, app)


async def test_the_webhook_is_told_and_never_waited_for(temporal: str, tmp_path: Path) -> None:
    async with ModelServer(Reply.json({})) as hook:
        settings = Settings(
            home=tmp_path,
            webhook=f"{hook.url}/hook",
            webhook_secret=SecretStr(f"whsec_{base64.b64encode(b'0' * 32).decode()}"),
        )
        plugin = LLMFlowPlugin(app, settings=settings, models=ModelCatalogue.only("scripted"), providers={})
        connected = await connect(address=temporal, plugin=plugin)
        client = Client(connected.temporal, f"told-{uuid.uuid4()}")
        async with Worker(connected.temporal, task_queue=str(client.task_queue), workflows=app.workflows):
            terms = Terms(days=10, remind_days=5, on_timeout="escalate", approvers=("ana",), escalate=("bo",))
            run = await client.start(Ask.run, terms, id=f"told-{uuid.uuid4()}")
            await Environment(client=client, app=app).skip(run, timedelta(days=30))
            await failure(run)
            told = [request.json for request in hook.requests]
            await assert_replays(run, app)

            hook.script(*[Reply.error(500)] * 20)
            run = await client.start(Ask.run, Terms(), id=f"told-{uuid.uuid4()}")
            await asked(run, "publish")
            await update(run, yes())
            assert (await run.result()).by == "ana"
            await assert_replays(run, app)
    assert [one["event"] for one in told[:4]] == ["asked", "reminded", "escalated", "reminded"]
    assert told[2]["question"]["approvers"] == ["ana", "bo"]


async def test_it_is_found_by_attribute_and_memo_and_shown_on_the_page_of_the_run(env: Environment) -> None:
    terms = [
        Terms(details="# Ship it for $5?\nIt costs $3 more.", approvers=("ana", "bo"), quorum=2, days=3),
        Terms(name="pay", payload={"usd": "12.50"}, with_form=True),
    ]
    run = await env.client.start(AskAll.run, terms, id=env.id())
    assert await _found(env.client.temporal, run) == "publish,pay"
    questions = await asked(run, "publish", "pay")
    assert (await _memo(run)).open == (
        Waiting(
            name="publish",
            asked_at=questions["publish"].asked_at,
            deadline=questions["publish"].deadline,
            approvers=("ana", "bo"),
            quorum=2,
            title="Ship it for $5?",
        ),
        Waiting(name="pay", asked_at=questions["pay"].asked_at, title='{"usd": "12.50"}'),
    )
    await update(run, yes())
    assert (await _memo(run)).open[0].approved_by == ("ana",)
    now = f"{datetime.now(UTC):%Y-%m-%d %H}"
    page = await _page(run)
    assert page.startswith(f"- **publish** waits for ana, bo, 1 of 2 approved since {now}")
    assert (
        f'`llmflow approvals approve {run.id} \'pay#1\' --by NAME --form \'{{"amount": "...", "remark": "..."}}\'`'
        in page
    )
    assert '`{"approval": "pay#1", "approved": true, "by": "NAME", "form": {"amount": "...", "remark": "..."}}`' in page
    assert "$" not in page

    await update(run, no("pay"))
    assert [one.name for one in (await _memo(run)).open] == ["publish"]
    await update(run, yes(by="bo"))
    await run.result()
    assert (await _memo(run)).open == ()
    assert await _page(run) == ""
    assert (await events(run)).count("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES") == 4
    await assert_replays(run, app)


async def test_any_name_fits_into_the_search_attribute(env: Environment) -> None:
    long = "\N{GRINNING FACE}" * 100  # 1,200 bytes as Temporal counts
    run = await env.client.start(AskAll.run, [Terms(name=long), Terms(name=f"{long[1:]}a")], id=env.id())
    await asked(run, long, f"{long[1:]}a")
    assert await _found(env.client.temporal, run) == long
    await update(run, yes(long))
    assert await until(lambda: _changed(env.client.temporal, run, long)) == f"{long[1:]}a"
    await update(run, yes(f"{long[1:]}a"))
    await run.result()
    await assert_replays(run, app)


async def _changed(client: TemporalClient, run: AnyRun, before: str) -> str | None:
    now = await _found(client, run)
    return now if now != before else None


async def _found(client: TemporalClient, run: AnyRun) -> str:
    """The attribute by which the run is found. Visibility follows a moment later."""

    async def look() -> list[Any]:  # Any: values of search attributes
        query = f"WorkflowId = '{run.id}' AND LlmAwaitingApproval IS NOT NULL"
        return [one.search_attributes["LlmAwaitingApproval"][0] async for one in client.list_workflows(query)]

    return (await until(look))[0]


async def _memo(run: AnyRun) -> WaitingList:
    return await (await run.handle.describe()).memo_value(WAITING.name, WaitingList(), type_hint=WaitingList)


async def _page(run: AnyRun) -> str:
    metadata = await run.handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details


async def test_what_one_approval_costs_in_events(env: Environment) -> None:
    run = await env.client.start(Ask.run, Terms(days=3), id=env.id())
    await asked(run, "publish")
    await update(run, yes())
    await run.result()
    assert await events(run) == [
        "ACTIVITY_TASK_SCHEDULED",
        "ACTIVITY_TASK_STARTED",
        "ACTIVITY_TASK_COMPLETED",  # how people are reached, once in a run
        "WORKFLOW_PROPERTIES_MODIFIED",
        "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
        "TIMER_STARTED",
        "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
        "WORKFLOW_EXECUTION_UPDATE_COMPLETED",
        "TIMER_CANCELED",
        "WORKFLOW_PROPERTIES_MODIFIED",
        "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
        "WORKFLOW_EXECUTION_COMPLETED",
    ]


async def test_a_question_is_withdrawn_when_its_run_or_branch_is_cancelled(env: Environment) -> None:
    run = await env.client.start(GiveUp.run, id=env.id())
    await asked(run, "first")
    await run.handle.signal("tire")
    assert list(await asked(run, "second")) == ["second"]
    assert "`first` is withdrawn" in (await refused(run, yes("first"))).message
    assert [one.name for one in (await _memo(run)).open] == ["second"]
    await run.handle.cancel()
    with pytest.raises(RunNotCompleted):
        await run.result()

    assert [one.status for one in (await report(run)).questions] == ["withdrawn", "withdrawn"]
    assert (await _memo(run)).open == ()
    assert (await run.status()).state == "cancelled"
    await assert_replays(run, app)


async def test_a_run_that_ends_asks_nothing_any_more(env: Environment) -> None:
    run = await env.client.start(Leave.run, id=env.id())
    await asked(run, "publish")
    await run.handle.signal("leave")
    assert await run.result() == "left"
    assert (await report(run)).questions[0].status == "withdrawn"
    assert (await _memo(run)).open == ()
    await assert_replays(run, app)


async def test_a_run_that_continues_goes_on_with_its_question(env: Environment) -> None:
    terms = Terms(approvers=("ana", "bo"), quorum=2, days=3, with_form=True, payload="a draft")
    first = await env.client.start(GoOn.run, terms, id=env.id())
    await asked(first, "publish")
    filled = {"amount": 1}
    await update(first, yes(form=filled))
    begun = await asked(first, "publish")
    await first.handle.signal("llmflow.decide", yes("publish#2", by="bo", form=filled))
    ids = [first.run_id]
    for _ in range(2):
        await first.handle.signal("go_on")
        ids.append(await until(lambda: _other_run(env, first.id, ids[-1])))
    last = env.client.run(first.id)
    now = await asked(last, "publish")
    assert now == begun
    assert [vote.by for vote in now["publish"].votes] == ["ana"]
    assert [one.name for one in (await _memo(last)).open] == ["publish"]
    assert (await _memo(last)).open[0].approved_by == ("ana",)
    await update(last, yes(by="bo", form=filled))  # the second of two
    await asked(last, "publish#2")  # the early answer was carried, too
    await update(last, yes("publish#2", form=filled))

    said = [(one["approval"], one["votes"]) for one in await last.result()]
    assert said == [("publish", ["ana", "bo"]), ("publish#2", ["bo", "ana"])]
    for id in ids:
        run = env.client.run(first.id, id)
        await assert_replays(run, app)
        assert await activities_of(run) == (["reach#1"] if id == ids[0] else [])


async def test_a_run_that_was_continued_a_moment_ago_takes_an_answer() -> None:
    async with server_with() as address, environment(app, ScriptedProvider([]), address=address) as env:
        first = await env.client.start(GoOn.run, Terms(), id=env.id())
        await asked(first, "publish")
        await first.handle.signal("go_on")
        await until(lambda: _other_run(env, first.id, first.run_id))
        last = env.client.run(first.id)  # Temporal holds it back for up to a second, as if it had a delay
        await last.approve("publish", by="ana")
        await asked(last, "publish#2")
        await last.terminate("seen enough")


async def _other_run(env: Environment, id: str, known: str | None) -> str | None:
    now = (await env.client.run(id).status()).run_id
    return now if now != known else None


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (Terms(name="a/b"), "name"),
        (Terms(name=""), "name"),
        (Terms(name=" "), "name"),
        (Terms(name="a\nb"), "name"),
        (Terms(name="a" * 101), "name"),
        (Terms(days=40_000), "timeout"),
        (Terms(quorum=0), "quorum"),
        (Terms(quorum=3, approvers=("ana", "bo", "ana")), "quorum"),
        (Terms(quorum=2, approvers=("ana", "Ana ")), "quorum"),
        (Terms(approvers=(" ",)), "approvers"),
        (Terms(days=-1), "timeout"),
        (Terms(remind_days=0), "remind_every"),
        (Terms(on_timeout="reject"), "timeout"),
        (Terms(on_timeout="escalate", days=1, approvers=("ana",)), "escalate"),
        (Terms(escalate=("bo",), days=1, approvers=("ana",)), "escalate"),
        (Terms(on_timeout="escalate", escalate=("bo",), days=1), "escalate"),
        (Terms(on_timeout="escalate", escalate="boss", days=1, approvers=("ana",)), "escalate"),
    ],
)
async def test_a_question_that_makes_no_sense_fails_the_run_and_not_its_task(
    env: Environment, terms: Terms, field: str
) -> None:
    run = await env.client.start(Ask.run, terms, id=env.id())
    error = await failure(run)
    assert isinstance(error, InputInvalid)
    assert error.detail.field == field
