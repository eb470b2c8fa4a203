"""The client: start, watch, list, end; and one clear error for each mistake."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.common import (
    AutoUpgradeVersioningOverride,
    Priority,
    RawValue,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)

from llmflow.client import Client, connect
from llmflow.errors import (
    ConfigInvalid,
    InputInvalid,
    NoWorker,
    PayloadTooLarge,
    RunExists,
    RunNotCompleted,
    RunNotFound,
    ServerUnavailable,
)
from llmflow.testing import Environment, ScriptedProvider, environment
from llmflow.types.budgets import Budget
from llmflow.types.runs import RunStatus
from tests.helpers.waiting import until
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Ask, Greeting, Use
from tests.integration.hello.workflows import Asked, Heard, Patient, Relay, Steps, Sum, Tools, Typed

GREETING = Greeting(text="hello ana", warmth=7)


@pytest.fixture(scope="module")
async def env(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider(lambda _: GREETING), address=temporal) as opened:
        yield opened


async def test_starting_twice_is_starting_once(env: Environment) -> None:
    id = env.id()
    first = await env.client.start(Patient.run, id=id)
    second = await env.client.start(Patient.run, id=id)
    assert first.run_id == (await second.status()).run_id

    await first.terminate("seen enough")
    closed = await env.client.start(Patient.run, id=id)
    assert (await closed.status()).state == "terminated"
    assert (await closed.status()).run_id == first.run_id


async def test_policies_of_temporal_are_there_when_wanted(env: Environment) -> None:
    id = env.id()
    first = await env.client.start(Steps.run, "once", id=id)
    assert await first.result() == "done"
    with pytest.raises(
        RunExists, match=r"exists already \(completed\): choose another id, or another `id_reuse_policy`"
    ):
        await env.client.start(Steps.run, "once", id=id, id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE)
    second = await env.client.start(
        Steps.run,
        "again",
        id=id,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )
    assert await second.result() == "done"
    assert second.run_id != first.run_id


async def test_a_running_run_is_refused_or_terminated_if_the_caller_says_so(env: Environment) -> None:
    id = env.id()
    first = await env.client.start(Patient.run, id=id, id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING)
    with pytest.raises(
        RunExists, match=r"exists already \(running\): choose another id, or another `id_conflict_policy`"
    ):
        await env.client.start(Patient.run, id=id, id_conflict_policy=WorkflowIDConflictPolicy.FAIL)
    second = await env.client.start(Patient.run, id=id, id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING)
    assert second.run_id != first.run_id
    assert (await env.client.run(id, first.run_id).status()).state == "terminated"
    await second.terminate("seen enough")
    third = await env.client.start(Patient.run, id=id, id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING)
    assert third.run_id != second.run_id
    await third.terminate("seen enough")


async def test_a_conflict_policy_says_nothing_of_closed_runs(env: Environment) -> None:
    id = env.id()
    assert await (await env.client.start(Typed.run, "ana", id=id)).result() == GREETING
    again = await env.client.start(Typed.run, "ana", id=id, id_conflict_policy=WorkflowIDConflictPolicy.FAIL)
    assert await again.result() == GREETING


async def test_an_id_of_another_workflow_is_no_run_of_this_one(env: Environment) -> None:
    running, closed = env.id(), env.id()
    run = await env.client.start(Patient.run, id=running)
    await (await env.client.start(Steps.run, "once", id=closed)).result()
    with pytest.raises(RunExists, match="is of Patient, not of Typed: choose another id"):
        await env.client.start(Typed.run, "ana", id=running)
    with pytest.raises(RunExists, match="is of Steps, not of Typed: choose another id"):
        await env.client.start("Typed", "ana", id=closed)
    await run.terminate("seen enough")


async def test_an_id_that_began_with_another_input_is_no_run_of_this_one(env: Environment) -> None:
    running, closed = env.id(), env.id()
    run = await env.client.start(Relay.run, True, id=running)
    await (await env.client.start(Asked.run, Ask(), id=closed)).result()
    assert (await env.client.start(Asked.run, Ask(), id=closed)).id == closed
    run_of_json: Any = Asked.run  # Any: called with JSON, in which what is left out has its default
    assert (await env.client.start(run_of_json, {"prompt": "hello/greet"}, id=closed)).id == closed
    assert (await env.client.start("Asked", Ask(), id=closed)).id == closed
    for workflow, other, id in (
        ("Asked", Ask(repairs=2), closed),
        ("Asked", "nonsense", closed),
        ("Relay", False, running),
    ):
        with pytest.raises(RunExists, match=rf"{id}' exists already \(\w+\), and began with another input"):
            await env.client.start(workflow, other, id=id)
    with pytest.raises(RunExists, match="and began with another input"):
        await env.client.start(Asked.run, Ask(repairs=2), id=closed)
    assert (await env.client.start(Relay.run, True, id=running)).id == running, "also where it has continued as new"
    await run.terminate("seen enough")


async def test_a_start_takes_what_temporal_takes(env: Environment) -> None:
    key = SearchAttributeKey.for_keyword_list("LlmTags")
    run = await env.client.start(
        Patient.run,
        id=env.id(),
        tags=["vip"],
        tenant="acme",
        memo={"ticket": 7, "llmflow.user": "ana"},
        search_attributes=TypedSearchAttributes([SearchAttributePair(key, ["mine"])]),
        retry_policy=RetryPolicy(maximum_attempts=2),
        execution_timeout=timedelta(days=9),
        run_timeout=timedelta(days=8),
        task_timeout=timedelta(seconds=7),
        static_summary="waits",
        static_details="for *days*",
        priority=Priority(priority_key=2, fairness_weight=3),
        versioning_override=AutoUpgradeVersioningOverride(),
        request_eager_start=False,
        rpc_metadata={"x-why": "a test"},
        rpc_timeout=timedelta(seconds=30),
    )
    started = (await run.handle.fetch_history()).events[0].workflow_execution_started_event_attributes
    assert started.retry_policy.maximum_attempts == 2
    assert started.workflow_execution_timeout.ToTimedelta() == timedelta(days=9)
    assert started.workflow_run_timeout.ToTimedelta() == timedelta(days=8)
    assert started.workflow_task_timeout.ToTimedelta() == timedelta(seconds=7)
    assert (started.priority.priority_key, started.priority.fairness_key) == (2, "acme")
    assert started.priority.fairness_weight == 3
    assert started.versioning_override.auto_upgrade
    found = await run.handle.describe()
    assert await found.memo_value("ticket") == 7
    assert await found.static_summary() == "waits"
    assert await found.static_details() == "for *days*"
    status = await run.status()
    assert (status.tags, status.tenant, status.user) == (("vip",), "acme", "ana")
    await run.terminate("seen enough")


async def test_a_signal_comes_with_the_start_or_to_the_run_that_is_running(env: Environment) -> None:
    id = env.id()
    await env.client.start(Heard.run, 2, id=id, start_signal="hear", start_signal_args=["yes"])
    run = await env.client.start(Heard.run, 2, id=id, start_signal="hear", start_signal_args=["yes"])
    with pytest.raises(RunExists, match="began with another input"):
        await env.client.start(Heard.run, 3, id=id, start_signal="hear", start_signal_args=["no"])
    assert await run.result() == ["yes", "yes"]


async def test_several_arguments(env: Environment) -> None:
    run = await env.client.start(Sum.run, id=env.id(), args=[1, 2])
    assert await run.result() == 3
    assert await (await env.client.start(Sum.run, id=run.id, args=[1, 2])).result() == 3
    with pytest.raises(RunExists, match="began with another input"):
        await env.client.start(Sum.run, id=run.id, args=[1, 3])
    with pytest.raises(InputInvalid, match="missing a required argument"):
        await env.client.start(Sum.run, id=env.id(), args=[1])
    with pytest.raises(InputInvalid, match="given twice"):
        await env.client.start("Sum", 1, id=env.id(), args=[1])


async def test_cancelling_a_closed_run_changes_nothing(env: Environment) -> None:
    run = await env.client.start(Steps.run, "once", id=env.id())
    await run.result()
    await run.cancel()
    assert (await run.status()).state == "completed"


async def test_status_tells_what_a_run_is_and_has_been_tagged(env: Environment) -> None:
    run = await env.client.start(Patient.run, id=env.id(), tags=["nightly", "team:docs"], static_summary="waits")
    status = await run.status()
    assert status.workflow == "Patient"
    assert status.state == "running"
    assert status.tags == ("nightly", "team:docs")
    assert status.closed_at is None
    assert (await run.steps())[0].path == "wait"
    await run.cancel()
    with pytest.raises(RunNotCompleted, match="was cancelled"):
        await run.result()
    assert (await run.status()).state == "cancelled"
    assert (await run.steps())[0].status == "cancelled"


async def test_status_tells_the_last_failure_however_long_it_is(env: Environment) -> None:
    run = await env.client.start(Tools.run, Use(tool="rant"), id=env.id())

    async def failure() -> str:
        return next((call.last_failure or "" for call in (await run.status()).pending), "")

    assert (await until(failure)).startswith("nothing there, nothing there")
    await run.terminate("seen enough")


async def test_a_tag_given_twice_is_one(env: Environment) -> None:
    run = await env.client.start(Patient.run, id=env.id(), tags=["nightly", "vip", "nightly"])
    assert (await run.status()).tags == ("nightly", "vip")
    await run.terminate("seen enough")


async def test_one_word_is_no_list_of_tags(env: Environment) -> None:
    with pytest.raises(InputInvalid, match=r"tags='urgent': give a list, such as \['urgent'\]"):
        await env.client.start(Patient.run, id=env.id(), tags="urgent")


@pytest.mark.parametrize(
    "tags",
    [RawValue(Payload(metadata={"encoding": b"binary/encrypted"}, data=b"?")), b"\xff", None, "vip", [1]],
    ids=["encrypted", "bytes", "null", "text", "numbers"],
)
async def test_tags_that_cannot_be_read_hide_no_run(env: Environment, tags: object) -> None:
    id = env.id()
    await env.client.temporal.start_workflow("Foreign", id=id, task_queue=id, memo={"llmflow.tags": tags})
    run = env.client.run(id)

    async def listed() -> tuple[RunStatus, ...]:
        return (await env.client.list(query=f"WorkflowId = '{id}'")).runs

    assert (await run.status()).tags == ()
    assert [found.tags for found in await until(listed)] == [()]
    await run.terminate("seen enough")


async def test_a_budget_of_a_newer_version_is_read(env: Environment) -> None:
    id = env.id()
    newer = {"usd": "0.5", "currency": "usd"}
    await env.client.temporal.start_workflow("Foreign", id=id, task_queue=id, memo={"llmflow.budget": newer})
    run = env.client.run(id)
    assert (await run.status()).budget == Budget(usd=Decimal("0.5"))
    await run.terminate("seen enough")


async def test_a_delayed_start_waits(env: Environment) -> None:
    run = await env.client.start(Steps.run, "later", id=env.id(), start_delay=timedelta(hours=1))
    assert (await run.status()).events == 1
    await run.terminate("seen enough")


async def test_a_terminated_run_says_who_and_why(env: Environment) -> None:
    run = await env.client.start(Patient.run, id=env.id())
    await run.terminate("seen enough")
    with pytest.raises(RunNotCompleted, match="was terminated: seen enough"):
        await run.result()


async def test_a_workflow_by_its_name(env: Environment) -> None:
    run = await env.client.start("Steps", "by name", id=env.id())
    assert await run.result() == "done"
    misspelt = env.id()
    with pytest.raises(InputInvalid, match=f"no worker of task queue {env.client.task_queue} serves .* mean `Steps`"):
        await env.client.start("Stepps", "by name", id=misspelt)
    with pytest.raises(RunNotFound):
        await env.client.run(misspelt).status()


async def test_pages_of_a_list(env: Environment) -> None:
    mark = f"page-{uuid.uuid4()}"
    ids = [f"{mark}-{number}" for number in range(5)]
    for id in ids:
        await (await env.client.start(Steps.run, "x", id=id)).result()
    mine = f"WorkflowId STARTS_WITH '{mark}'"
    while len((await env.client.list(query=mine, state="completed")).runs) < 5:
        await asyncio.sleep(0.05)  # visibility is a moment behind the runs

    first = await env.client.list(query=mine, workflow="Steps", limit=3)
    second = await env.client.list(query=mine, workflow="Steps", limit=3, cursor=first.cursor)
    assert [run.id for run in (*first.runs, *second.runs)] == ids[::-1]
    assert second.cursor is None
    later = await env.client.list(query=mine, since=datetime.now(UTC) + timedelta(hours=1))
    assert later.runs == ()


async def test_filters_that_cannot_be_used_say_why(env: Environment) -> None:
    with pytest.raises(InputInvalid, match="limit=0: give 1 to 1000"):
        await env.client.list(limit=0)
    with pytest.raises(InputInvalid, match="state='bogus': give one of running, completed, failed"):
        await env.client.list(state="bogus")  # type: ignore[arg-type]  that is what is tested
    with pytest.raises(InputInvalid, match="is invalid: give the `cursor` of a page of `list`"):
        await env.client.list(cursor="%%%")
    whole = r"""Temporal does not accept "WorkflowType = 'Typed' AND \(Nonsense >\)": .*syntax error$"""
    with pytest.raises(InputInvalid, match=whole):
        await env.client.list(workflow="Typed", query="Nonsense >")
    assert (await env.client.list(workflow="it's not there")).runs == ()


async def test_an_unknown_run(env: Environment) -> None:
    unknown = env.client.run("no-such-run")
    for ask in (unknown.status, unknown.usage, unknown.steps, unknown.result, unknown.cancel):
        with pytest.raises(RunNotFound, match=r"^there is no run 'no-such-run'$"):
            await ask()
    with pytest.raises(RunNotFound):
        await unknown.terminate("it is not there")


async def test_an_input_that_is_too_large_is_not_sent(env: Environment) -> None:
    id = env.id()
    with pytest.raises(PayloadTooLarge, match="pass a reference"):
        await env.client.start(Typed.run, "x" * 2_000_000, id=id)
    with pytest.raises(RunNotFound):
        await env.client.run(id).status()


async def test_an_input_of_the_wrong_type_fails_the_run_and_names_it(env: Environment) -> None:
    run = await env.client.start("Typed", {"name": "ana"}, id=env.id())
    with pytest.raises(RunNotCompleted, match="does not fit str"):
        await run.result()


async def test_without_a_task_queue_nothing_starts(temporal: str) -> None:
    client = await connect(address=temporal)
    with pytest.raises(ConfigInvalid, match=r"connect\(app\)"):
        await client.start(Steps.run, "x", id="nowhere")


async def test_without_a_worker_a_run_cannot_answer(temporal: str) -> None:
    client = Client((await connect(address=temporal)).temporal, task_queue=f"nobody-{uuid.uuid4()}")
    run = await client.start(Steps.run, "x", id=f"alone-{uuid.uuid4()}")
    assert (await run.status()).state == "running"
    with pytest.raises(NoWorker, match="no worker serves its task queue, or its code fails"):
        await run.usage()
    await run.terminate("seen enough")


@pytest.mark.parametrize(
    ("address", "error", "says"),
    [
        (
            "127.0.0.1:1",
            ServerUnavailable,
            r"no Temporal server answers at 127.0.0.1:1 \(.*\): start one, or set TEMPORAL_ADDRESS",
        ),
        ("not an address", ConfigInvalid, "write it as host:port"),
    ],
)
async def test_no_server(address: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        await connect(address=address)


async def test_an_api_key_is_never_sent_in_the_clear(temporal: str) -> None:
    with pytest.raises(ServerUnavailable):  # because this server speaks no TLS
        await connect(address=temporal, api_key="key")


async def test_an_unknown_profile() -> None:
    with pytest.raises(ConfigInvalid, match="Profile 'nope' not found"):
        await connect(profile="nope")


async def test_temporals_own_environment_is_used(temporal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "elsewhere")
    client = await connect()
    assert client.temporal.namespace == "elsewhere"
    assert (await connect(namespace="default")).temporal.namespace == "default"


async def test_a_tenant_gets_its_fair_share_and_a_priority_its_place(env: Environment) -> None:
    run = await env.client.start(Steps.run, "x", id=env.id(), tenant="acme", priority=Priority(priority_key=2))
    await run.result()
    started = (await run.handle.fetch_history()).events[0].workflow_execution_started_event_attributes
    assert (started.priority.fairness_key, started.priority.priority_key) == ("acme", 2)

    with pytest.raises(InputInvalid, match="64 bytes"):
        await env.client.start(Steps.run, "x", id=env.id(), tenant="a" * 65)
