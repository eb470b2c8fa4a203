"""Run events: their order, texts, retries, resuming, children, and what they cost where nobody reads."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing, closing
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from temporalio.worker import Worker

from llmflow.client import Run, connect
from llmflow.errors import InputInvalid, StoreUnavailable
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.openai.responses import ResponsesProvider
from llmflow.testing import Environment, activities_of, assert_replays, environment
from llmflow.types.events import (
    ApprovalOpened,
    CallEnded,
    CallStarted,
    RunEnded,
    RunEvent,
    TextDelta,
    ToolReturned,
)
from llmflow.types.providers import ProviderSettings
from llmflow.worker import LLMFlowPlugin
from tests.helpers.model_server import SILENCE, ModelServer, Reply, responses_answer, responses_events
from tests.helpers.waiting import until
from tests.integration.live import Book, Note, Notes, app

TEXT = "Sagas undo what was done before they failed."
BOOK = [
    ("run_started", ""),
    ("step_opened", "write"),
    ("call_started", "write/complete#1"),
    ("text_delta", "write/complete#1"),
    ("call_ended", "write/complete#1"),
    ("tool_called", "write/count#1"),
    ("tool_returned", "write/count#1"),
    ("step_closed", "write"),
    ("approval_opened", "approval publish#1"),
    ("approval_closed", "approval publish#1"),
    ("run_started", "Chapter#1"),
    ("step_opened", "Chapter#1/chapter"),
    ("call_started", "Chapter#1/chapter/complete#1"),
    ("text_delta", "Chapter#1/chapter/complete#1"),
    ("call_ended", "Chapter#1/chapter/complete#1"),
    ("tool_called", "Chapter#1/chapter/count#1"),
    ("tool_returned", "Chapter#1/chapter/count#1"),
    ("step_closed", "Chapter#1/chapter"),
    ("run_ended", "Chapter#1"),
    ("run_ended", ""),
]


@pytest.fixture
async def vendor() -> AsyncIterator[ModelServer]:
    """A vendor that streams the text in pieces of 7 characters."""
    async with ModelServer(Reply.text(TEXT)) as server:
        yield server


@pytest.fixture
async def env(temporal: str, vendor: ModelServer, store: Path) -> AsyncIterator[Environment]:
    provider = ResponsesProvider(ProviderSettings(name="scripted", base_url=vendor.url, key="sk-x"))
    async with environment(app, provider, address=temporal, store=str(store)) as env:
        yield env
    await provider.close()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The file of the store."""
    return tmp_path / "llmflow.db"


async def read(run: Run[Any], after: str = "", *, by: str | None = None) -> list[RunEvent]:
    """Read all events, and approve what is asked."""
    events: list[RunEvent] = []
    async with aclosing(run.events(after=after)) as stream:
        async for event in stream:
            events.append(event)
            if by and isinstance(event, ApprovalOpened):
                await run.approve(event.approval, by=by)
    return events


def places(events: list[RunEvent]) -> list[tuple[str, str]]:
    """Type and path of each, with one delta for those that follow each other."""
    found = [(event.type, event.path) for event in events]
    return [one for at, one in enumerate(found) if at == 0 or found[at - 1] != one]


async def test_a_run_and_its_child_are_told_in_order(env: Environment) -> None:
    run = await env.client.start(Book.run, "sagas", id=env.id())
    async with asyncio.timeout(20):
        events = await read(run, by="ana")
    assert await run.result() == 16
    assert places(events) == BOOK
    texts = [event.text for event in events if isinstance(event, TextDelta) and event.path == "write/complete#1"]
    assert "".join(texts) == TEXT
    [first, _] = [event for event in events if isinstance(event, CallEnded)]
    assert (first.outcome, first.text, first.usage.output_tokens) == ("answered", TEXT, 20)
    assert first.cost
    assert [event.result for event in events if isinstance(event, ToolReturned)] == ["8", "8"]
    assert isinstance(events[-1], RunEnded)
    assert events[-1].state == "completed"
    assert {event.run for event in events if event.path.startswith("Chapter#1")} == {f"{run.id}-chapter"}
    assert len({event.id for event in events}) == len(events)
    assert await activities_of(run) == ["write/complete#1", "write/count#1", "reach#1"]
    for at in (0, 5, len(events) - 2):
        assert await read(run, events[at].offset) == events[at + 1 :], "it goes on after any event"
    assert await read(run, events[-1].offset) == events[-1:], "the end is told to everybody"
    child = env.client.run(f"{run.id}-chapter")
    assert await read(child) == events, "a child is in the stream of its root"


async def test_without_a_reader_there_are_no_deltas_and_a_late_one_sees_the_rest(env: Environment, store: Path) -> None:
    alone = await env.client.start(Note.run, "sagas", id=env.id())
    assert await alone.result() == TEXT

    async def written() -> bool:
        with closing(sqlite3.connect(store)) as file:
            return file.execute("SELECT count(*) FROM run_events WHERE root_id = ?", (alone.id,)).fetchone() == (4,)

    await until(written)
    late = await read(alone)
    watched = await env.client.start(Note.run, "sagas", id=env.id())
    early = await read(watched)
    assert [event.type for event in late] == ["run_started", "call_started", "call_ended", "run_ended"]
    assert [one for one in places(early) if one[0] != "text_delta"] == places(late)
    assert [event.text for event in late if isinstance(event, CallEnded)] == [TEXT]
    with closing(sqlite3.connect(store)) as file:
        deltas = "SELECT count(*) FROM run_events WHERE is_delta AND root_id = ?"
        assert file.execute(deltas, (alone.id,)).fetchone() == (0,)
    lengths = [(await run.handle.describe()).history_length for run in (alone, watched)]
    assert lengths[0] == lengths[1], "a reader costs no history event"


async def test_a_reader_that_comes_in_the_middle_gets_the_whole_text(env: Environment, vendor: ModelServer) -> None:
    vendor.script(Reply.stream(*responses_events(responses_answer(TEXT)), pause=2.0))
    run = await env.client.start(Note.run, "sagas", id=env.id())
    await vendor.arrived(1)
    await asyncio.sleep(0.3)
    heard: dict[str, float] = {}
    events: list[RunEvent] = []
    async with aclosing(run.events()) as stream:
        async for event in stream:
            heard.setdefault(event.type, monotonic())
            events.append(event)
    assert heard["call_ended"] - heard["text_delta"] > 0.3, "long before the call ended"
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == TEXT


async def test_a_retried_call_replaces_what_it_streamed(env: Environment, vendor: ModelServer) -> None:
    broken = Reply.stream(*responses_events(responses_answer("Wrong beginning, and then silence.")), pause=0.3)
    vendor.script(replace(broken, pause=0.0, then="reset"))
    run = await env.client.start(Note.run, "sagas", id=env.id())
    events = await read(run)
    assert await run.result() == TEXT
    assert [event.replaces for event in events if isinstance(event, CallStarted)] == [False, True]
    assert [event.outcome for event in events if isinstance(event, CallEnded)] == ["failed", "answered"]
    second = [event for event in events if isinstance(event, TextDelta) and event.attempt == 2]
    assert "".join(event.text for event in second) == TEXT
    assert second[0].position == 0


async def test_a_broken_store_of_events_hurts_no_call(
    env: Environment, store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(store)) as file:
        file.execute("DROP TABLE run_events")
    runs = [await env.client.start(Note.run, "sagas", id=env.id()) for _ in range(2)]
    assert [await run.result() for run in runs] == [TEXT, TEXT]
    with closing(sqlite3.connect(store)) as file:
        assert file.execute("SELECT count(*) FROM calls WHERE outcome = 'answered'").fetchone() == (2,)
    assert caplog.text.count("run events cannot be written") == 1
    with pytest.raises(StoreUnavailable):
        await read(runs[0])


async def test_a_reader_notices_that_the_store_was_set_back(env: Environment, vendor: ModelServer, store: Path) -> None:
    vendor.script(Reply.text(TEXT, delay=1.0))
    run = await env.client.start(Note.run, "sagas", id=env.id())
    seen: list[str] = []
    async with aclosing(run.events()) as stream:
        async for event in stream:
            seen.append(event.type)
            if seen == ["run_started", "call_started"]:
                with closing(sqlite3.connect(store, isolation_level=None)) as file:
                    file.execute("DELETE FROM run_events")
                    file.execute("DELETE FROM event_streams")
    assert [one for one in seen if one != "text_delta"] == [
        *("run_started", "call_started", "stream_reset", "call_ended", "run_ended"),
    ]


async def test_the_end_is_told_if_no_worker_tells_it(env: Environment, vendor: ModelServer) -> None:
    vendor.script(SILENCE)
    run = await env.client.start(Note.run, "sagas", id=env.id())
    events: list[RunEvent] = []
    async with aclosing(run.events()) as stream:
        async for event in stream:
            events.append(event)
            if isinstance(event, CallStarted):
                await run.terminate("enough")
    assert isinstance(events[-1], RunEnded)
    assert events[-1].state == "terminated"


async def test_a_batch_is_told_like_a_fan_out(env: Environment) -> None:
    run = await env.client.start(Notes.run, 6, id=env.id())
    events = await read(run)
    kinds = Counter(event.type for event in events if event.type != "text_delta")
    assert kinds == {
        "run_started": 1,
        "run_ended": 1,
        "step_opened": 1,
        "step_closed": 1,
        "call_started": 6,
        "call_ended": 6,
    }
    ended = {event.path for event in events if isinstance(event, CallEnded)}
    assert ended == {f"write[{at}]/complete#1" for at in range(6)}


async def test_an_offset_of_another_kind_is_refused(env: Environment) -> None:
    run = await env.client.start(Note.run, "sagas", id=env.id())
    with pytest.raises(InputInvalid, match="offset"):
        await read(run, "17")
    await run.result()


async def test_a_redis_carries_events_between_a_worker_and_a_reader(
    temporal: str, vendor: ModelServer, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMFLOW_EVENTS", redis_url)
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path))
    provider = ResponsesProvider(ProviderSettings(name="scripted", base_url=vendor.url, key="sk-x"))
    models = ModelCatalogue.only("scripted")
    plugin = LLMFlowPlugin(app, models=models, providers={"scripted": provider})
    temporals = (await connect(address=temporal, plugin=plugin)).temporal
    queue = f"live-{uuid4()}"
    async with Worker(temporals, task_queue=queue, workflows=app.workflows):
        client = await connect(address=temporal)
        run = await client.start(Note.run, "sagas", id=queue, task_queue=queue)
        events = await read(run)
    await provider.close()
    assert places(events) == [
        ("run_started", ""),
        *((type, "complete#1") for type in ("call_started", "text_delta", "call_ended")),
        ("run_ended", ""),
    ]
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == TEXT
    assert await activities_of(run) == ["complete#1"]
    await assert_replays(run, app)
