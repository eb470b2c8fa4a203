"""Classes that change while runs are open: recorded data that does not fit them blocks a run, and never fails it."""

import asyncio
import re
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Worker

from llmflow.client import Client, Run, connect
from llmflow.config import Settings
from llmflow.errors import RunNotCompleted
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import ScriptedProvider, activities_of, approve_when_asked, assert_replays, environment
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink
from llmflow.types.wire import calls_queue
from llmflow.worker import LLMFlowPlugin
from tests.helpers.waiting import until
from tests.integration.outgrown import (
    Before,
    Defaulted,
    Louder,
    LouderAndCalm,
    Moving,
    MovingWider,
    MovingWithMore,
    NoMethod,
    OtherForm,
    OtherItem,
    OtherResult,
    OtherStates,
    Text,
    Wider,
    app_of,
)
from tests.replay.record import HISTORIES

ANSWER = '{"text": "hello"}'
QUICK = timedelta(seconds=3)
"""Timeout of a workflow task: a blocked run is tried again after it."""


class Held(ScriptedProvider):
    """A model that waits until it may answer."""

    def __init__(self) -> None:
        super().__init__(lambda _: ANSWER)
        self.may_answer = asyncio.Event()

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        answer = await super().complete(request, sink)
        await self.may_answer.wait()
        return answer


@dataclass
class Fleet:
    """Workers of one queue: one makes the calls, those of workflows come and go."""

    address: str
    home: Path
    queue: str = field(default_factory=lambda: str(uuid.uuid4()))
    model: Held = field(default_factory=Held)

    async def connected(self, kind: type) -> tuple[Client, LLMFlowPlugin]:
        plugin = LLMFlowPlugin(
            app_of(kind),
            settings=Settings(home=self.home, store=str(self.home / "llmflow.db")),
            models=ModelCatalogue.only("scripted"),
            providers={"scripted": self.model},
        )
        client = await connect(address=self.address, plugin=plugin)
        return Client(client.temporal, self.queue), plugin

    @asynccontextmanager
    async def calls(self) -> AsyncGenerator[None]:
        client, plugin = await self.connected(Before)
        async with Worker(client.temporal, task_queue=calls_queue(self.queue), activities=plugin.calls):
            yield

    @asynccontextmanager
    async def workflows(self, kind: type, queue: str | None = None) -> AsyncGenerator[Client]:
        client, _ = await self.connected(kind)
        async with Worker(
            client.temporal,
            task_queue=queue or self.queue,
            workflows=app_of(kind).workflows,
            no_remote_activities=True,
            max_cached_workflows=0,
        ):
            yield client


@pytest.fixture
async def fleet(temporal: str, tmp_path: Path) -> AsyncGenerator[Fleet]:
    fleet = Fleet(temporal, tmp_path)
    async with fleet.calls():
        yield fleet


async def bug_of(run: Run[str], says: str) -> str:
    """Wait until the run is blocked for this reason. It never fails."""

    async def blocked() -> str:
        status = await run.status()
        assert status.state == "running"
        return status.bug or "" if says in (status.stuck or "") else ""

    return await until(blocked)


async def approve(run: Run[str]) -> str:
    for by in ("ana", "bo"):
        await approve_when_asked(run, "publish", by=by, form={"text": "hi"})
    return await run.result()


async def test_an_answer_that_arrives_after_a_deploy_waits_for_a_class_that_it_fits(fleet: Fleet) -> None:
    async with fleet.workflows(Before) as client:
        run = await client.start(Before.run, "model", id=fleet.queue, task_timeout=QUICK)

        async def asked() -> bool:
            return bool(fleet.model.requests)

        await until(asked)
    fleet.model.may_answer.set()
    async with fleet.workflows(Wider):
        bug = await bug_of(run, "ask[0]/complete#1: the answer does not fit Mood: mood: Field required. Other code")
        assert re.search(r"outgrown.py:\d+ in ask\)", bug), "the place in the user's code"
    async with fleet.workflows(Defaulted):
        assert await approve(run) == "Calm(text='hello', mood='calm')"
    assert await activities_of(run) == ["book/book#1", "ask[0]/complete#1", "reach#1"]
    await assert_replays(run, app_of(Before))


async def test_what_was_accepted_waits_while_a_deploy_does_not_fit_it(fleet: Fleet) -> None:
    fleet.model.may_answer.set()
    async with fleet.workflows(Before) as client:
        answered = await client.start(Before.run, "model", id=f"answered-{fleet.queue}", task_timeout=QUICK)
        found = await client.start(Before.run, "tool", id=f"found-{fleet.queue}", task_timeout=QUICK)
        for run in (answered, found):
            await approve_when_asked(run, "publish", by="ana", form={"text": "hi"})
    histories = [await run.handle.fetch_history() for run in (answered, found)]
    with pytest.raises(
        AssertionError, match=r"message: .ask\[0\]/complete#1: the answer does not fit Mood: mood: Field"
    ):
        await assert_replays(histories[0], app_of(Wider))
    with pytest.raises(AssertionError, match=r"message: .find#1: tool 'find' returned .* mood: Field required"):
        await assert_replays(histories[1], app_of(Wider))
    with pytest.raises(AssertionError, match=r"message: .approval publish#1: the form does not fit .*mood: Field"):
        await assert_replays(histories[1], app_of(OtherForm))
    async with fleet.workflows(Defaulted):
        assert [await approve_again(run) for run in (answered, found)]


async def approve_again(run: Run[str]) -> str:
    await approve_when_asked(run, "publish", by="bo", form={"text": "hi"})
    return await run.result()


async def test_validators_decide_about_an_answer_of_the_right_shape(temporal: str) -> None:
    model = ScriptedProvider([ANSWER, '{"text": "HELLO"}'])
    async with environment(app_of(Louder), model, address=temporal) as env:
        run = await env.client.start(Louder.run, "model", id=env.id())
        for by in ("ana", "bo"):
            await approve_when_asked(run, "publish", by=by, form={"text": "HI"})
        assert await run.result() == "Loud(text='HELLO')"
        assert (await activities_of(run))[1:3] == ["ask[0]/complete#1", "ask[0]/complete#2"]
        await assert_replays(run, app_of(LouderAndCalm))
    assert "louder, please" in model.requests[1].messages[-1].text


async def test_a_run_that_continues_waits_for_the_class_of_its_input(fleet: Fleet) -> None:
    there = f"{fleet.queue}-there"
    async with fleet.workflows(Moving) as client:
        run = await client.start(Moving.run, Text(text=f"to {there}"), id=fleet.queue, task_timeout=QUICK)

        async def moved() -> bool:
            return (await run.status()).task_queue == there

        await until(moved)
    async with fleet.workflows(MovingWider, there):
        await bug_of(run, "the input: the value does not fit Mood: mood: Field required. Other code")
    async with fleet.workflows(Moving, there):
        assert await run.result() == "there"
    with pytest.raises(AssertionError, match=r"message: .the input: workflow Moving: missing a required argument"):
        await assert_replays(run, app_of(MovingWithMore))
    async with fleet.workflows(Moving) as client:
        refused = await client.start("Moving", {"txt": "to"}, id=f"{fleet.queue}-new")
        with pytest.raises(RunNotCompleted, match="does not fit Text"):
            await refused.result()


@pytest.mark.parametrize(
    ("history", "kind", "says"),
    [
        ("fan-out-batches", OtherResult, r"look_at\[0\]: the value does not fit Mood: text: Field required"),
        ("fan-out-batch", OtherItem, r"look_at\[0\]: the value does not fit Text: value: Input should be an object"),
        ("fan-out-batch", NoMethod, "look_at: this worker's code has no `look_at`"),
        ("carried-machines-next", OtherStates, "Laps#2: it is in state 'rest', which State no longer has"),
    ],
)
async def test_what_crosses_from_run_to_run_blocks_the_one_that_cannot_read_it(
    history: str, kind: type, says: str
) -> None:
    recorded = WorkflowHistory.from_json(history, (HISTORIES / f"{history}.json").read_text())
    with pytest.raises(AssertionError, match=f"message: .{says}"):
        await assert_replays(recorded, app_of(kind))
