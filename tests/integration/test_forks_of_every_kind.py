"""Forks of runs that go on or continued, of children, of large fan-outs; and of runs whose payloads are sealed."""

import dataclasses
import uuid
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.client import Client as TemporalClient
from temporalio.common import RawValue
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from temporalio.worker import Worker

from llmflow.client import Client, Run
from llmflow.config import Settings
from llmflow.errors import InputInvalid, RunNotCompleted, RunNotFound
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.models.entries import ProviderEntry
from llmflow.testing import Environment, ScriptedProvider, assert_replays, environment
from llmflow.types.contracts import FORKED
from llmflow.types.forks import Fork
from llmflow.types.models import Candidate, ModelRequest
from llmflow.worker import LLMFlowPlugin
from tests.helpers.waiting import until
from tests.integration.forking.app import app
from tests.integration.forking.schemas import Answer, Order
from tests.integration.forking.workflows import Article, Chapters, Many, Plain, Relay, Waiting


def _answer(request: ModelRequest) -> str:
    return f"({request.model}: {request.messages[-1].text.strip()})"


@pytest.fixture(scope="module")
def model() -> ScriptedProvider:
    return ScriptedProvider(_answer)


@pytest.fixture(scope="module")
async def env(temporal: str, model: ScriptedProvider) -> AsyncIterator[Environment]:
    async with environment(app, model, address=temporal) as env:
        yield env


def _paid(model: ScriptedProvider) -> int:
    """Calls since the last look."""
    count = len(model.requests)
    model.requests.clear()
    return count


async def _child_of(run: Run[str]) -> str:
    [child] = [
        event.start_child_workflow_execution_initiated_event_attributes.workflow_id
        async for event in run.handle.fetch_history_events()
        if event.HasField("start_child_workflow_execution_initiated_event_attributes")
    ]
    return child


async def test_a_run_that_goes_on(env: Environment, model: ScriptedProvider) -> None:
    model.requests.clear()
    run = await env.client.start(Waiting.run, "tea", id=env.id())

    async def waits() -> bool:
        return (await run.usage()).total.calls == 2

    await until(waits)
    assert _paid(model) == 2
    fork = await run.fork("complete#2")
    await fork.handle.signal("go_on")
    await fork.result()
    assert _paid(model) == 2

    await run.handle.signal("go_on")
    await run.result()
    assert _paid(model) == 1
    later = await run.fork("complete#3")
    await later.handle.signal("go_on")
    assert await later.result() == Answer(text="(fast: Note the end.)"), "of the type that the workflow says"
    assert (await later.usage()).taken.calls == 2, "what was recorded after the first fork is known as well"
    assert _paid(model) == 1
    await assert_replays(later, app)


async def test_the_latest_of_a_run_that_continued(env: Environment, model: ScriptedProvider) -> None:
    run = await env.client.start(Relay.run, None, id=env.id(), tags=["vip"])
    answer = await run.result()
    _paid(model)
    fork = await run.fork("complete#3", tags=["again"])
    assert await fork.result() == answer
    usage = await fork.usage()
    assert (usage.taken.calls, usage.total.calls, _paid(model)) == (1, 1, 1), "what was spent before is not its own"
    assert (await fork.status()).tags == ("again",)
    await assert_replays(fork, app)

    fork = await run.fork("complete#3", models={"fast": "quick"})
    assert str(await fork.result()).startswith("(quick: Note (quick: Note (smart:")
    assert _paid(model) == 2


async def test_a_child_becomes_a_run_of_its_own(env: Environment, model: ScriptedProvider) -> None:
    run = await env.client.start(Article.run, Order(topic="tea"), id=env.id())
    await run.result()
    child = env.client.run(await _child_of(run))
    _paid(model)
    fork = await child.fork("final")
    assert await fork.result() == await child.result()
    assert ((await fork.usage()).taken.calls, _paid(model)) == (1, 1)
    described = await fork.handle.describe()
    assert described.raw_description.workflow_execution_info.root_execution.workflow_id == fork.id
    await assert_replays(fork, app)


async def test_a_fan_out_in_batches_is_not_paid_again(env: Environment, model: ScriptedProvider) -> None:
    model.requests.clear()
    run = await env.client.start(Many.run, 50, id=env.id())
    answer = await run.result()
    assert _paid(model) == 61

    fork = await run.fork("complete#1", input=30)  # other batches, as where a child is full before its end
    assert await fork.result() == answer
    assert _paid(model) == 1
    usage = await fork.usage()
    assert (usage.taken.calls, usage.total.calls) == (60, 1)
    assert await fork.tree_usage() == usage, "what a batch has told its parent counts once"
    await assert_replays(fork, app)

    await (await run.fork("length")).result()
    assert _paid(model) == 61, "the step is one of children alone"
    with pytest.raises(InputInvalid, match=f"is a fan-out batch of run '{run.id}': fork that one"):
        await env.client.run(f"{run.id}/length[0-49]").fork("length")


async def test_children_are_the_same_ones_whichever_began_first(env: Environment, model: ScriptedProvider) -> None:
    async def written(run: Run[list[str]], *chapters: int) -> list[str]:
        for number, chapter in enumerate(chapters, 1):
            await run.handle.signal(Chapters.begin, chapter)
            await until(lambda done=number: _done(run, done))
        return await run.result()

    run = await env.client.start(Chapters.run, 2, id=env.id())
    answer = await written(run, 1, 0)
    assert _paid(model) == 6
    fork = await run.fork("cover")
    assert await written(fork, 0, 1) == answer
    assert _paid(model) == 2
    whole = await fork.tree_usage()
    assert (whole.taken.calls, whole.total.calls) == (4, 2)
    await assert_replays(fork, app)


async def _done(run: Run[list[str]], chapters: int) -> bool:
    return (await run.steps())[0].done == chapters


async def test_a_history_that_is_gone_is_never_paid_for_silently(env: Environment, model: ScriptedProvider) -> None:
    gone = Fork(workflow_id="gone", run_id=str(uuid.uuid4()), before=10)
    queue = env.client.task_queue
    assert queue
    handle = await env.client.temporal.start_workflow(
        "Write", args=["notes", "prose"], id=env.id(), task_queue=queue, memo={FORKED.name: gone}
    )
    with pytest.raises(RunNotCompleted, match=r"run 'gone' .* does not exist: it was deleted, or is older"):
        await env.client.run(handle.id).result()
    with pytest.raises(RunNotFound):
        await env.client.run("gone").fork("plan")
    assert _paid(model) == 0


@dataclass(frozen=True)
class Sealed(PayloadCodec, WithSerializationContext):
    """Stands for encryption with a key for each run and activity: nobody else can read it."""

    key: str = ""

    def with_context(self, context: SerializationContext) -> Self:
        match context:
            case ActivitySerializationContext():
                return dataclasses.replace(self, key=f"{context.workflow_id} {context.activity_type}")
            case WorkflowSerializationContext():
                return dataclasses.replace(self, key=context.workflow_id)
            case _:
                return self

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        metadata = {"encoding": b"binary/sealed", "key": self.key.encode()}
        return [Payload(metadata=metadata, data=payload.SerializeToString()[::-1]) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._open(payload) for payload in payloads]

    def _open(self, payload: Payload) -> Payload:
        assert payload.metadata["encoding"] == b"binary/sealed"
        # Headers are sealed and opened without a context; a key that is known at both ends must be the same.
        assert payload.metadata["key"].decode() in ("", self.key) or not self.key
        return Payload.FromString(payload.data[::-1])


@dataclass
class Desk:
    """Activities of a user's own: in a task, in a thread, and one for whatever comes."""

    done: list[str] = field(default_factory=list[str])

    def told(self) -> list[str]:
        """Return the activities since the last call."""
        told, self.done = self.done, []
        return told

    @activity.defn
    async def count_words(self, text: str) -> dict[str, int]:
        self.done.append("count_words")
        return {"words": len(text.split())}

    @activity.defn
    def stamp(self, text: str, times: int = 1) -> bytes:
        self.done.append("stamp")
        return b"!" + text.encode() * times

    @activity.defn(dynamic=True)
    async def anything(self, values: Sequence[RawValue]) -> None:
        self.done.append("anything")


async def test_activities_of_the_users_own_and_payloads_that_are_sealed(temporal: str, tmp_path: Path) -> None:
    model, desk, queue = ScriptedProvider(_answer), Desk(), f"sealed-{uuid.uuid4()}"
    plugin = LLMFlowPlugin(
        app, settings=Settings(home=tmp_path), models=ModelCatalogue.only("scripted"), providers={"scripted": model}
    )
    client = await TemporalClient.connect(
        temporal,
        plugins=[plugin],
        data_converter=DataConverter(payload_codec=Sealed()),
    )
    with ThreadPoolExecutor() as threads:
        async with Worker(
            client,
            task_queue=queue,
            workflows=app.workflows,
            activities=[desk.count_words, desk.stamp, desk.anything],
            activity_executor=threads,
        ):
            run = await Client(client, queue).start(Plain.run, 2, id=queue)
            answer = await run.result()
            assert (desk.told(), _paid(model)) == (["count_words", "stamp", "anything"], 3)

            fork = await run.fork("Write")
            assert await fork.result() == answer
            assert (desk.told(), _paid(model)) == ([], 2)

            fork = await run.fork("Write", input=3)
            assert "!two wordstwo wordstwo words" in await fork.result()
            assert (desk.told(), _paid(model)) == (["stamp"], 3)

            fork = await Client(client, queue).run(await _child_of(run)).fork("final")
            assert await fork.result() == answer
            assert (desk.told(), _paid(model)) == ([], 1)


async def test_an_alias_that_moved_changes_nothing_until_it_is_named(temporal: str, tmp_path: Path) -> None:
    model, queue = ScriptedProvider(_answer), f"aliases-{uuid.uuid4()}"
    aliases = {name: (Candidate(model=f"scripted:{name}"),) for name in ("smart", "fast", "large")}
    models = ModelCatalogue(providers={"scripted": ProviderEntry(api="chat", base_url="http://x")}, aliases=aliases)
    plugin = LLMFlowPlugin(app, settings=Settings(home=tmp_path), models=models, providers={"scripted": model})
    client = await TemporalClient.connect(temporal, plugins=[plugin])
    async with Worker(client, task_queue=queue, workflows=app.workflows):
        run = await Client(client, queue).start(Article.run, Order(topic="tea"), id=queue)
        await run.result()
        assert _paid(model) == 6

        aliases["fast"] = aliases["large"]
        fork = await run.fork("publish")
        await fork.result()
        assert _paid(model) == 0
        for named in ("fast", "large", "scripted:large"):
            fork = await run.fork("publish", models={"fast": named})
            assert "(large: Note a" in await fork.result()
            assert _paid(model) == 5

        for models, said in (({"fsat": "large"}, "did you mean `fast`"), ({"fast": "lrge"}, "did you mean `large`")):
            fork = await run.fork("publish", models=models)
            with pytest.raises(RunNotCompleted, match=said):
                await fork.result()
        assert _paid(model) == 0
