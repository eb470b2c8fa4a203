"""A worker that is killed with SIGKILL while its model streams: the reader goes on, and knows what is void."""

import asyncio
from contextlib import aclosing
from pathlib import Path
from uuid import uuid4

import pytest

from llmflow.client import connect
from llmflow.stores.database import Database
from llmflow.types.events import CallStarted, RunEvent, TextDelta
from tests.helpers.forked import forked_worker, killed
from tests.helpers.model_server import ModelServer, Reply, responses_answer, responses_events
from tests.integration.live import Frail

BROKEN, TEXT = "The beginning of an answer that nobody pays", "The whole answer."

MODELS = """
providers:
  openai: {{api: responses, key: OPENAI_API_KEY, base_url: "{url}"}}
models:
  fast: openai:gpt-5.4
"""


@pytest.mark.timeout(120)  # 8 s, most of it until Temporal notices that the worker is dead
async def test_a_reader_survives_the_worker(temporal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = str(tmp_path / "llmflow.db")
    monkeypatch.setenv("LLMFLOW_STORE", store)
    async with ModelServer(Reply.text(TEXT)) as vendor, Database(store):
        vendor.script(Reply.stream(*responses_events(responses_answer(BROKEN)), pause=60.0))
        models = tmp_path / "models.yaml"
        models.write_text(MODELS.format(url=vendor.url))
        environ = {
            "TEMPORAL_ADDRESS": temporal,
            "LLMFLOW_MODELS": str(models),
            "OPENAI_API_KEY": "sk-test",
            "LLMFLOW_HOME": str(tmp_path),
            "LLMFLOW_STORE": store,
        }
        id = f"frail-{uuid4()}"
        run = await (await connect(address=temporal)).start(Frail.run, "sagas", id=id, task_queue=id)
        app, events = "tests.integration.live:app", list[RunEvent]()
        async with forked_worker(app, environ, id) as (first, _), aclosing(run.events()) as stream:
            async for event in stream:
                events.append(event)
                if first.is_alive() and said(events, 1) == BROKEN:
                    await killed(first)
                    break
        async with forked_worker(app, environ, id), aclosing(run.events(after=events[-1].offset)) as stream:
            async with asyncio.timeout(60):
                events += [event async for event in stream]
    assert [(event.attempt, event.replaces) for event in events if isinstance(event, CallStarted)] == [
        (1, False),
        (2, True),
    ]
    assert said(events, 2) == TEXT
    assert [event.type for event in events if not isinstance(event, TextDelta)] == [
        *("run_started", "call_started", "call_started", "call_ended", "run_ended"),
    ]
    assert len({event.id for event in events}) == len(events)


def said(events: list[RunEvent], attempt: int) -> str:
    return "".join(one.text for one in events if isinstance(one, TextDelta) and one.attempt == attempt)
