"""The ledger of a run: a row for each attempt of each call, which agrees with its history."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Row, func, select

from llmflow import worker
from llmflow.client import Client, connect
from llmflow.config import Settings
from llmflow.errors import ProviderUnavailable, RunNotCompleted
from llmflow.stores.database import Database
from llmflow.stores.schema import answers, calls
from llmflow.testing import assert_replays
from tests.helpers.model_server import ModelServer, Reply
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Ask, Greeting
from tests.integration.hello.workflows import Asked, Typed

FITS = Reply.text(Greeting(text="good day", warmth=3).model_dump_json())


@pytest.fixture
async def vendor(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ModelServer]:
    async with ModelServer(FITS) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        yield server


@pytest.fixture
def no_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Name a file of certificates that is not there, before the worker starts."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "gone.pem"))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(str(tmp_path / "llmflow.db")) as database:
        yield database


@pytest.fixture
async def client(temporal: str, vendor: ModelServer, store: Database, tmp_path: Path) -> AsyncIterator[Client]:
    queue, ready, stop = f"journal-{uuid.uuid4()}", asyncio.Event(), asyncio.Event()
    settings = Settings(home=tmp_path, store=store.name)
    serving = asyncio.create_task(
        worker.run(
            app, settings=settings, address=temporal, task_queues=[queue], ready=lambda _: ready.set(), stop=stop
        )
    )
    await asyncio.wait([serving, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    yield Client((await connect(address=temporal)).temporal, queue)
    stop.set()
    await serving


async def rows(store: Database) -> list[Row[tuple[object, ...]]]:
    query = select(calls).order_by(calls.c.at)
    return [*await store.read(lambda connection: connection.execute(query).all())]


async def test_every_attempt_has_a_row_that_agrees_with_the_history(
    client: Client, vendor: ModelServer, store: Database
) -> None:
    vendor.script(Reply.error(429, headers={"retry-after-ms": "10"}), Reply.text("no JSON"), FITS)
    run = await client.start(
        Typed.run, "ana", id=f"journal-{uuid.uuid4()}", tenant="acme", user="ana", tags=["blue", "new"]
    )
    await run.result()

    found = await rows(store)
    assert [(row.activity_id, row.attempt, row.outcome, row.repair) for row in found] == [
        ("greeting/complete#1", 1, "RateLimited", 0),
        ("greeting/complete#1", 2, "answered", 0),
        ("greeting/complete#2", 1, "answered", 1),
    ]
    for row in found:
        assert (row.workflow_id, row.root_id, row.run_id, row.workflow_type) == (run.id, run.id, run.run_id, "Typed")
        assert (row.tenant, row.user_id, row.tags) == ("acme", "ana", ["blue", "new"])
        assert (row.prompt, row.model_asked) == ("hello/greet", found[0].model_asked)
    assert len({row.request_hash for row in found}) == 2
    assert found[0].usd is None
    assert found[0].model is None
    assert found[1].base_url == vendor.url

    total = (await run.usage()).total
    paid = [row for row in found if row.model]
    assert total.calls == len(paid) == 2
    assert total.usd == sum(row.usd for row in paid) > 0
    assert total.usage.input_tokens == sum(row.input_tokens for row in paid)
    assert await store.read(lambda connection: connection.scalar(select(func.count()).select_from(answers))) == 2


async def test_a_call_that_is_cancelled_or_fails_has_its_row(
    client: Client, vendor: ModelServer, store: Database
) -> None:
    vendor.script(Reply.error(400), Reply(send=0, then="stall"))
    failed = await client.start(Asked.run, Ask(), id=str(uuid.uuid4()))
    with pytest.raises(RunNotCompleted):
        await failed.result()
    ended = await client.start(Asked.run, Ask(), id=str(uuid.uuid4()))
    await vendor.arrived(2)
    await ended.cancel()
    await vendor.left()
    with pytest.raises(RunNotCompleted):
        await ended.result()
    while len(found := await rows(store)) < 2:
        await asyncio.sleep(0.05)
    assert [(row.workflow_id, row.outcome) for row in found] == [
        (failed.id, "RequestRejected"),
        (ended.id, "cancelled"),
    ]


@pytest.mark.usefixtures("no_certificates")
async def test_a_connection_that_cannot_be_made_has_a_row(client: Client, vendor: ModelServer, store: Database) -> None:
    run = await client.start(Asked.run, Ask(attempts=4), id=f"journal-{uuid.uuid4()}")
    with pytest.raises(RunNotCompleted) as failed:
        await run.result()
    assert isinstance(failed.value.__cause__, ProviderUnavailable)
    assert vendor.count == 0
    found = [(row.activity_id, row.attempt, row.outcome) for row in await rows(store)]
    assert found == [("complete#1", 1, "ProviderUnavailable"), ("complete#2", 1, "ProviderUnavailable")]
    await assert_replays(run, app)
