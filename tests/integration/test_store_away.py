"""The store is down, slow, locked or not upgraded: no answer is lost, no call is made in vain, and a start says why."""

import asyncio
import json
import signal
import sqlite3
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.worker import Worker

from llmflow import worker
from llmflow.client import Client, Run, connect
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid, StoreUnavailable
from llmflow.stores.database import Database
from llmflow.stores.schema import calls
from llmflow.testing import ScriptedProvider, assert_replays
from llmflow.types.budgets import Budget
from llmflow.worker import LLMFlowPlugin
from tests.helpers.command_line import ROOT, environ, finished, started
from tests.helpers.model_server import ModelServer, Reply
from tests.helpers.pgbouncer import NoPgBouncer, running_pgbouncer
from tests.helpers.postgres import Postgres
from tests.helpers.waiting import until
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Ask, Greeting
from tests.integration.hello.workflows import Asked, Typed

APP = "tests.integration.hello.app:app"
LATE = Reply.text("this is no JSON", delay=1)
GREETING = Greeting(text="good day", warmth=3)


@pytest.fixture
async def vendor(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ModelServer]:
    async with ModelServer(Reply.text(GREETING.model_dump_json())) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        yield server


@pytest.fixture
async def store(postgres: Postgres) -> str:
    """A store on PostgreSQL, with all tables."""
    url = await postgres.database()
    await upgraded(url)
    return url


async def upgraded(url: str) -> None:
    database = Database(url)
    await database.upgrade()
    await database.close()


async def rows(store: str) -> list[tuple[str, str]]:
    """The calls by activity and attempt, each with its outcome."""
    database = Database(store)
    query = select(calls.c.activity_id, calls.c.outcome).order_by(calls.c.activity_id, calls.c.attempt)
    try:
        return [(row[0], row[1]) for row in await database.read(lambda connection: connection.execute(query).all())]
    finally:
        await database.close()


@asynccontextmanager
async def serving(temporal: str, home: Path, store: str, queue: str | None = None) -> AsyncGenerator[Client]:
    queue, ready, stop = queue or f"store-{uuid.uuid4()}", asyncio.Event(), asyncio.Event()
    run = worker.run(
        app,
        settings=Settings(home=home, store=store),
        address=temporal,
        task_queues=[queue],
        ready=lambda _: ready.set(),
        stop=stop,
    )
    task = asyncio.create_task(run)
    try:
        await asyncio.wait([task, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
        yield Client((await connect(address=temporal)).temporal, queue)
    finally:
        stop.set()
        await task


async def refused(run: Run[Any]) -> bool:  # Any: runs of every type
    """Return True if a call of the run waits because the store is unavailable."""
    [*pending] = (await run.handle.describe()).raw_description.pending_activities
    kinds = [one.last_failure.application_failure_info.type for one in pending]
    return kinds == ["llmflow.StoreUnavailable"]


@asynccontextmanager
async def stopped(postgres: Postgres) -> AsyncGenerator[None]:
    await postgres.stop()
    try:
        yield
    finally:
        await postgres.start()


@pytest.mark.parametrize("how", ["stopped", "paused"])
async def test_a_store_that_goes_away_costs_no_answer_and_no_call(
    temporal: str, postgres: Postgres, store: str, vendor: ModelServer, tmp_path: Path, how: str
) -> None:
    away: AbstractAsyncContextManager[None] = stopped(postgres) if how == "stopped" else postgres.paused()
    vendor.script(LATE)
    async with serving(temporal, tmp_path, store) as client:
        run = await client.start(Typed.run, "ana", id=str(uuid.uuid4()))
        await vendor.arrived(1)
        async with away:
            # The first answer reaches the workflow, which asks again because it does not fit: that call is refused.
            await until(lambda: refused(run), seconds=40)
            late = await client.start(Asked.run, Ask(), id=str(uuid.uuid4()))  # not even its prompt can be chosen
            assert vendor.count == 1
        assert await run.result() == GREETING
        assert (await late.result())["text"]
        await assert_replays(run, app)
        await assert_replays(late, app)
        assert vendor.count == 3

        first, *tries, last = await _of_both(store)
        assert (first, last) == (("greeting/complete#1", "answered"), ("greeting/complete#2", "answered"))
        assert {outcome for _, outcome in tries} == {"StoreUnavailable"}
    assert not [*(tmp_path / "outbox").iterdir()]


async def _of_both(store: str) -> list[tuple[str, str]]:
    async def of_both() -> list[tuple[str, str]]:
        found = [row for row in await rows(store) if row[0].startswith("greeting/")]
        return found if ("greeting/complete#1", "answered") in found else []

    return await until(of_both)


async def test_a_pooler_that_shares_connections_between_transactions(
    temporal: str, postgres: Postgres, store: str, vendor: ModelServer, tmp_path: Path
) -> None:
    """Two workers behind PgBouncer in transaction mode, as managed databases have it: no row is lost, no run waits."""
    vendor.script(*[Reply.text("good day")] * 40)
    priced = Ask(model="openai:gpt-5.4-mini")
    try:
        async with running_pgbouncer(postgres) as port:
            pooled = store.replace(str(postgres.port), str(port))
            queue = f"store-{uuid.uuid4()}"
            one, other = (serving(temporal, tmp_path / name, pooled, queue) for name in ("one", "other"))
            async with one as client, other:
                runs = [
                    await client.start(Asked.run, priced, id=str(uuid.uuid4()), budget=Budget(usd=1)) for _ in range(40)
                ]
                assert {(await run.result())["text"] for run in runs} == {"good day"}
                await assert_replays(runs[-1], app)
            assert await rows(store) == [("complete#1", "answered")] * 40  # at once, and none in an outbox
    except NoPgBouncer as missing:
        pytest.skip(str(missing))
    assert vendor.count == 40


async def test_a_locked_file_costs_no_answer(temporal: str, vendor: ModelServer, tmp_path: Path) -> None:
    store = str(tmp_path / "llmflow.db")
    vendor.script(LATE)
    async with serving(temporal, tmp_path, store) as client:
        run = await client.start(Typed.run, "ana", id=str(uuid.uuid4()))
        await vendor.arrived(1)
        with closing(sqlite3.connect(store)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await run.result() == GREETING
            assert await rows(store) == []

        async def written() -> bool:
            return len(await rows(store)) == 2

        await until(written)
    assert vendor.count == 2


async def test_the_next_worker_writes_what_a_killed_one_left(
    temporal: str, postgres: Postgres, store: str, vendor: ModelServer, tmp_path: Path
) -> None:
    vendor.script(Reply.text("good day", delay=1))
    queue = f"store-{uuid.uuid4()}"
    env = environ(
        TEMPORAL_ADDRESS=temporal,
        OPENAI_BASE_URL=vendor.url,
        OPENAI_API_KEY="sk-test",
        LLMFLOW_HOME=str(tmp_path),
        LLMFLOW_STORE=store,
    )
    client = Client((await connect(address=temporal)).temporal, queue)
    async with started("worker", "--app", APP, "--task-queue", queue, cwd=ROOT, env=env) as first:
        await first.says("Ctrl-C stops it")
        run = await client.start(Asked.run, Ask(), id=str(uuid.uuid4()))
        await vendor.arrived(1)
        await postgres.stop()
        try:
            assert (await run.result())["text"] == "good day"
            await first.done(signal.SIGKILL)
        finally:
            await postgres.start()
    assert await rows(store) == []
    async with started("worker", "--app", APP, "--task-queue", queue, cwd=ROOT, env=env):
        assert await until(lambda: rows(store)) == [("complete#1", "answered")]
    assert vendor.count == 1


async def test_a_worker_says_at_once_what_its_store_lacks(
    temporal: str, postgres: Postgres, vendor: ModelServer, tmp_path: Path
) -> None:
    url = await postgres.database()
    env = environ(
        TEMPORAL_ADDRESS=temporal,
        OPENAI_BASE_URL=vendor.url,
        OPENAI_API_KEY="sk-test",
        LLMFLOW_HOME=str(tmp_path),
        LLMFLOW_STORE=url,
    )
    serve = ("worker", "--app", APP, "--task-queue", f"store-{uuid.uuid4()}")
    async with stopped(postgres):
        down = await finished(*serve, cwd=ROOT, env=env)
        assert (down.code, "cannot be used: [Errno 111]" in down.err) == (3, True), down.err
    old = await finished(*serve, cwd=ROOT, env=env)
    assert (old.code, "run `llmflow store upgrade`" in old.err) == (5, True), old.err
    assert "serving" not in down.err + old.err
    done = [await finished("store", "upgrade", "--json", cwd=ROOT, env=env) for _ in range(2)]
    assert [json.loads(one.out)["changed"] for one in done] == [True, False]
    assert postgres.password not in f"{down}{old}{done}"
    async with started(*serve, cwd=ROOT, env=env) as process:
        await process.says("Ctrl-C stops it")
        assert (await process.done(signal.SIGTERM)).code == 0


@pytest.mark.parametrize("how", ["with", "run"])
async def test_a_plain_worker_ends_with_the_error_of_its_store(
    temporal: str, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    for url, error in (
        (await postgres.database(), ConfigInvalid),
        ("postgresql://127.0.0.1:1/nothing", StoreUnavailable),
    ):
        settings = Settings(home=tmp_path, store=url)
        plugin = LLMFlowPlugin(app, settings=settings, providers={"openai": ScriptedProvider([])})
        client = await connect(address=temporal, plugin=plugin)
        plain = Worker(client.temporal, task_queue=f"store-{uuid.uuid4()}", workflows=app.workflows)
        with pytest.raises(error):
            if how == "run":
                await plain.run()
            async with plain:
                await asyncio.Event().wait()
