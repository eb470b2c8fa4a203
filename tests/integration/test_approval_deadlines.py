"""Decisions count by the time when they were sent: also those that came while no worker ran."""

import uuid
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from temporalio.client import Client as TemporalClient
from temporalio.worker import Worker

from llmflow.client import Client
from llmflow.config import Settings
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import Environment, ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.base import changed
from llmflow.worker import LLMFlowPlugin
from tests.helpers.waiting import until
from tests.integration.asking import Ask, AskAll, GoOn, Terms, app
from tests.integration.test_approvals import asked, refused, report, update, yes
from tests.integration.test_approvals_over_time import events, failure


@pytest.fixture(scope="module")
async def env(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider([]), address=temporal) as opened:
        yield opened


@pytest.fixture
async def away(temporal: str, tmp_path: Path) -> tuple[Client, Callable[[], Worker]]:
    """A client, and its worker, which is there when a test wants it."""
    plugin = LLMFlowPlugin(
        app,
        settings=Settings(home=tmp_path, store=None),
        models=ModelCatalogue.only("scripted"),
        providers={"scripted": ScriptedProvider([])},
    )
    connected = await TemporalClient.connect(temporal, plugins=[plugin])
    client = Client(connected, f"asking-{uuid.uuid4()}")
    return client, lambda: Worker(
        connected,
        task_queue=client.task_queue or "",
        workflows=app.workflows,
        sticky_queue_schedule_to_start_timeout=timedelta(milliseconds=100),  # the next one need not wait for the first
    )


async def test_a_decision_that_comes_together_with_the_end_of_the_run_goes_on_to_the_next(
    away: tuple[Client, Callable[[], Worker]],
) -> None:
    client, worker = away
    async with worker():
        run = await client.start(GoOn.run, Terms(), id=f"asking-{uuid.uuid4()}")
        await asked(run, "publish")
    await run.handle.signal("llmflow.decide", yes())
    await run.handle.signal("go_on")
    async with worker():
        last = client.run(run.id)
        await asked(last, "publish#2")
        await update(last, yes("publish#2"))
        assert [one["approval"] for one in await last.result()] == ["publish", "publish#2"]
        for one in (client.run(run.id, run.run_id), last):
            await assert_replays(one, app)


async def test_a_decision_counts_by_the_time_when_it_was_sent(away: tuple[Client, Callable[[], Worker]]) -> None:
    client, worker = away
    soon = Terms(days=3 / 86_400, approvers=("ana", "bo", "cy"), quorum=2)
    starts = {"in time": soon, "half": soon, "late": changed(soon, on_timeout="reject")}
    async with worker():
        runs = {name: await client.start(Ask.run, terms, id=f"{name}-{uuid.uuid4()}") for name, terms in starts.items()}
        for run in runs.values():
            await asked(run, "publish")
    in_time, half, late = runs.values()
    await in_time.handle.signal("llmflow.decide", "no decision")  # counted among the signals, too
    for run in (in_time, half):
        await run.handle.signal("llmflow.decide", yes())
    await in_time.handle.signal("llmflow.decide", yes(by="bo"))

    async def fired() -> bool:
        return all(["TIMER_FIRED" in await events(run) for run in runs.values()])

    await until(fired)
    for run in runs.values():
        await run.handle.signal("llmflow.decide", yes(by="cy"))
    async with worker():
        assert (await in_time.result()).votes == ["ana", "bo"]
        assert "1 of 2 needed of ana, bo, cy approved" in str(await failure(half))
        said = await late.result()
        assert (said.approved, said.by, said.votes) == (False, "timeout", [])
        for run, status in ((in_time, "approved"), (half, "expired"), (late, "rejected")):
            told = await report(run)
            [question], deadline = told.questions, f"{told.questions[0].deadline:%Y-%m-%d %H:%M:%S} UTC"
            assert (question.status, told.late) == (status, ())
            assert [one.sent["by"] for one in told.refused if isinstance(one.sent, dict)] == ["cy"]
            why = told.refused[-1].reason
            assert why.startswith(f"`publish` could be decided until {deadline}: this decision came at ") or (
                run is in_time and "was already approved by bo at" in why
            )
            assert all(vote.at <= cast(datetime, question.deadline) for vote in question.votes)
            assert await activities_of(run) == ["reach#1", "sent#1"]
            await assert_replays(run, app)


async def test_a_late_answer_is_told_how_its_question_ended(env: Environment) -> None:
    terms = [Terms(days=3, on_timeout="reject"), Terms(name="pay")]
    run = await env.client.start(AskAll.run, terms, id=env.id())
    deadline = (await asked(run, "publish", "pay"))["publish"].deadline
    await env.skip(run, timedelta(days=3))
    says = f"`publish` is rejected, because its deadline passed at {deadline:%Y-%m-%d %H:%M:%S} UTC; "
    assert says in (await refused(run, yes())).message
    await update(run, yes("pay"))
    await run.result()
    await assert_replays(run, app)


async def test_a_decision_sent_in_time_counts_in_the_run_that_continues(
    away: tuple[Client, Callable[[], Worker]],
) -> None:
    client, worker = away
    async with worker():
        run = await client.start(GoOn.run, Terms(days=3 / 86_400), id=f"asking-{uuid.uuid4()}")
        await asked(run, "publish")
    for name in ("publish#2", "publish"):  # the former is early
        await run.handle.signal("llmflow.decide", yes(name))

    async def fired() -> bool:
        return "TIMER_FIRED" in await events(run)

    await until(fired)
    await run.handle.signal("go_on")
    async with worker():
        last = client.run(run.id)
        assert [one["approval"] for one in await last.result()] == ["publish", "publish#2"]
        [looked_up] = await activities_of(last)
        assert looked_up.startswith("sent#")
        for one in (client.run(run.id, run.run_id), last):
            await assert_replays(one, app)
