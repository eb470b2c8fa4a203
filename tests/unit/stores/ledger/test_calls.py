"""The ledger and the journal, on both databases."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import asyncpg  # pyright: ignore[reportMissingTypeStubs]  it has none
import pytest
from sqlalchemy import Row, select, text

from llmflow.errors import StoreUnavailable
from llmflow.stores.database import Database, Work
from llmflow.stores.ledger.calls import Calls
from llmflow.stores.ledger.outbox import Outbox
from llmflow.stores.ledger.rows import CANCELLED, LOST, Call
from llmflow.stores.schema import answers, calls
from llmflow.types.usage import Usage
from tests.helpers.calls import NOON, a_call, an_answer
from tests.helpers.waiting import until

T = TypeVar("T")
UNWRITABLE = an_answer().model_copy(update={"usage": Usage(input_tokens=10**30)})  # in no column of any database


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


@pytest.fixture
def ledger(database: Database, outbox: Outbox) -> Calls:
    return Calls(database, outbox)


async def rows(database: Database) -> list[Row[tuple[object, ...]]]:
    query = select(calls).order_by(calls.c.run_id, calls.c.activity_id, calls.c.attempt)
    return [*await database.read(lambda connection: connection.execute(query).all())]


async def outcomes(database: Database) -> list[str]:
    return [row.outcome for row in await rows(database)]


async def away(database: Database) -> None:
    """The tables do not exist (yet): one of many ways in which the store cannot be used now."""
    for table in ("calls", "answers"):
        await database.write(
            lambda connection, name=table: connection.execute(text(f"ALTER TABLE {name} RENAME TO x{name}"))
        )


async def back(database: Database) -> None:
    for table in ("calls", "answers"):
        await database.write(
            lambda connection, name=table: connection.execute(text(f"ALTER TABLE x{name} RENAME TO {name}"))
        )


async def test_a_paid_answer_is_found_again(ledger: Calls) -> None:
    answer = an_answer("she said \u2028 \x00 😀")
    await ledger.record(a_call(result=answer))
    retry = a_call(attempt=2)
    assert await ledger.paid(retry.id, "hash") == answer
    assert await ledger.paid(retry.id, "another question") is None
    assert await ledger.paid(a_call(activity="complete#2").id, "hash") is None
    assert await ledger.paid(a_call(run="another").id, "hash") is None


async def test_an_unknown_price_is_null(ledger: Calls, database: Database) -> None:
    await ledger.record(a_call(result=an_answer(usd=None)))
    [row] = await rows(database)
    assert row.usd is None


async def test_writing_again_changes_nothing(ledger: Calls, database: Database) -> None:
    await asyncio.gather(*(ledger.record(a_call(result=an_answer(said))) for said in ("first", "second", "third")))
    await ledger.record(a_call(result=an_answer("fourth")))
    assert await outcomes(database) == ["answered"]
    paid = await ledger.paid(a_call(attempt=2).id, "hash")
    assert paid is not None
    assert paid.text == "first"


async def test_attempts_without_a_row_were_lost(ledger: Calls, database: Database) -> None:
    await ledger.record(a_call(attempt=2, outcome="RateLimited"))
    await ledger.record_lost(a_call(attempt=4, result=None))
    assert [(row.attempt, row.outcome, row.usd) for row in await rows(database)] == [
        (1, LOST, None),
        (2, "RateLimited", None),
        (3, LOST, None),
    ]
    await ledger.record_lost(a_call(attempt=4, result=None))
    assert len(await rows(database)) == 3


@pytest.mark.parametrize(
    ("order", "stays"),
    [
        ((LOST, "answered"), "answered"),  # it was only slow
        ((CANCELLED, "answered"), "answered"),
        (("answered", LOST), "answered"),
        (("answered", CANCELLED), "answered"),
        ((LOST, "StoreUnavailable"), "StoreUnavailable"),  # from the outbox of another machine
        (("RateLimited", LOST), "RateLimited"),
    ],
)
async def test_what_was_paid_stays_and_news_are_better_than_none(
    ledger: Calls, database: Database, order: tuple[str, ...], stays: str
) -> None:
    for outcome in order:
        await ledger.record(a_call(outcome=outcome))
    assert await outcomes(database) == [stays]
    paid = await ledger.paid(a_call(attempt=2).id, "hash")
    assert (paid is not None) == (stays == "answered")


async def test_while_the_store_is_away_calls_wait_in_files(
    ledger: Calls, database: Database, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    await away(database)
    with caplog.at_level(logging.WARNING):
        await asyncio.gather(*(ledger.record(a_call(activity=f"complete#{n}")) for n in range(5)))
    assert "cannot be used" in caplog.text
    await asyncio.gather(*(ledger.record_later(a_call(attempt=2, outcome="StoreUnavailable")) for _ in range(3)))
    assert 2 <= len([*outbox.folder.iterdir()]) <= 3
    with pytest.raises(StoreUnavailable):
        await ledger.catch_up()
    await back(database)
    async with asyncio.timeout(10):
        await asyncio.gather(*(ledger.catch_up() for _ in range(3)))
    assert sorted(await outcomes(database)) == ["StoreUnavailable", *["answered"] * 5]
    assert [*outbox.folder.iterdir()] == []


async def test_an_answer_that_waits_in_a_file_is_not_paid_again(ledger: Calls, database: Database) -> None:
    await away(database)
    await ledger.record(a_call())
    await back(database)
    assert await ledger.paid(a_call(attempt=2).id, "hash") == an_answer()


async def test_another_worker_writes_what_a_dead_one_left(ledger: Calls, database: Database, outbox: Outbox) -> None:
    await outbox.put([a_call().model_dump_json()])  # the only trace of it
    async with ledger.serving(timedelta(days=7)):
        await until(lambda: outcomes(database))
    assert await outcomes(database) == ["answered"]


async def test_what_the_database_never_takes_does_not_keep_the_others_out(
    ledger: Calls, database: Database, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    both = a_call(activity="complete#1"), a_call(activity="complete#2", result=UNWRITABLE)
    await asyncio.gather(*(ledger.record(call) for call in (*both, a_call(activity="complete#3"))))
    assert [row.activity_id for row in await rows(database)] == ["complete#1", "complete#3"]
    [refused] = outbox.folder.iterdir()
    assert str(refused) in caplog.text
    assert Call.model_validate_json(refused.read_text()) == both[1]
    await ledger.record(a_call(activity="complete#4"))


async def test_what_is_no_text_does_not_keep_the_others_out(
    ledger: Calls, database: Database, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    half = an_answer("half a pair: \ud83d")
    three = [a_call(activity=f"complete#{n}", result=half if n == 2 else an_answer()) for n in (1, 2, 3)]
    await asyncio.gather(*(ledger.record(call) for call in three))
    assert [row.activity_id for row in await rows(database)] == ["complete#1", "complete#3"]
    [refused] = outbox.folder.iterdir()
    assert r"half a pair: \ud83d" in refused.read_text()
    assert str(refused) in caplog.text

    await away(database)
    await asyncio.gather(*(ledger.record(a_call(run="later", result=call.result)) for call in three))
    assert [path.suffix for path in outbox.folder.iterdir()].count(".jsonl") == 1


async def test_a_file_that_a_person_mended_is_used(ledger: Calls, database: Database, outbox: Outbox) -> None:
    outbox.folder.mkdir()
    (outbox.folder / "mended.jsonl").write_text(a_call().model_dump_json() + "\n")
    await ledger.catch_up()
    assert await outcomes(database) == ["answered"]
    assert [*outbox.folder.iterdir()] == []


class Counted(Database):
    """Counts what is written."""

    asked = 0

    async def write(self, work: Work[T]) -> T:
        self.asked += 1
        return await super().write(work)


async def test_who_waited_for_the_outbox_is_told_at_once_that_the_store_is_away(
    outbox: Outbox, store_url: str, database: Database
) -> None:
    await outbox.put([a_call().model_dump_json()])
    async with Counted(store_url) as counted:
        await away(database)
        ledger, before = Calls(counted, outbox), counted.asked
        refused = await asyncio.gather(
            *(ledger.paid(a_call(run=f"r{n}", attempt=2).id, "hash") for n in range(8)), return_exceptions=True
        )
        assert [type(error) for error in refused] == [StoreUnavailable] * 8
        assert counted.asked - before == 1


async def test_a_file_of_the_outbox_that_cannot_be_used_is_set_aside(
    ledger: Calls, database: Database, outbox: Outbox
) -> None:
    lines = [a_call(activity="complete#1").model_dump_json(), '{"from": "another world"}', "{"]
    await outbox.put([*lines, a_call(activity="complete#2", result=UNWRITABLE).model_dump_json()])
    await ledger.catch_up()
    assert [row.activity_id for row in await rows(database)] == ["complete#1"]
    assert [path.suffix for path in outbox.folder.iterdir()] == [".refused"] * 3


async def test_without_store_and_outbox_no_model_is_asked_and_no_row_is_lost(
    ledger: Calls, database: Database, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    outbox.folder.write_text("a file is in the way")
    await away(database)
    await asyncio.gather(*(ledger.record(a_call(activity=f"complete#{n}")) for n in range(3)))
    assert "calls wait in memory" in caplog.text
    await database.read(lambda connection: connection.scalar(text("SELECT 1")))  # it answers, as on a full disk
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await ledger.check()
    await back(database)
    await asyncio.gather(ledger.check(), ledger.check())
    assert await outcomes(database) == ["answered"] * 3


async def test_a_worker_that_stops_without_store_and_outbox_logs_the_rows(
    ledger: Calls, database: Database, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    outbox.folder.write_text("a file is in the way")
    await away(database)
    async with ledger.serving(timedelta(days=7)):
        await ledger.record(a_call())
    assert 'a call is in no ledger: {"id": {"workflow_id": "w"' in caplog.text


async def test_a_row_that_no_database_takes_is_logged_without_an_outbox(
    ledger: Calls, database: Database, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    outbox.folder.write_text("a file is in the way")
    await ledger.record(a_call(result=UNWRITABLE))
    assert "a call is in no ledger" in caplog.text
    await ledger.catch_up()
    assert await outcomes(database) == []


@asynccontextmanager
async def locked(url: str) -> AsyncGenerator[None]:
    """Somebody else holds the table, or with SQLite the file."""
    if url.startswith("postgresql"):
        connection = await asyncpg.connect(url)
        try:
            async with connection.transaction():
                await connection.execute("LOCK TABLE calls IN EXCLUSIVE MODE")
                yield
        finally:
            await connection.close()
    else:
        with closing(sqlite3.connect(url, isolation_level=None)) as file:
            file.execute("BEGIN IMMEDIATE")
            yield


async def test_a_call_is_in_the_outbox_while_the_store_is_slow(
    store_url: str, database: Database, outbox: Outbox
) -> None:
    ledger = Calls(database, outbox)
    async with locked(store_url):
        writing = asyncio.gather(*(ledger.record(a_call(activity=f"complete#{n}")) for n in range(3)))

        async def are_kept() -> bool:
            return len({line for file in outbox.folder.glob("*.jsonl") for line in file.read_text().split("\n")}) == 3

        await until(are_kept)  # a worker that is killed now loses none
        assert not writing.done()
    await writing
    assert await outcomes(database) == ["answered"] * 3
    assert not [*outbox.folder.iterdir()]


async def test_who_is_cancelled_still_has_a_row(ledger: Calls, database: Database) -> None:
    tasks = [asyncio.create_task(ledger.record(a_call(activity=f"complete#{n}"))) for n in range(4)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    tasks[3].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with ledger.serving(timedelta(days=7)):
        pass  # a worker that stops waits for what it writes
    assert len(await rows(database)) == 4


async def test_answers_go_after_their_time_and_costs_stay(database: Database, outbox: Outbox) -> None:
    ledger = Calls(database, outbox, purged=3)
    for day in range(10):
        await ledger.record(a_call(activity=f"complete#{day}", at=NOON + timedelta(days=day)))
    assert await ledger.purge(NOON + timedelta(days=8)) == 8
    kept = await database.read(lambda connection: connection.scalars(select(answers.c.activity_id)).all())
    assert sorted(kept) == ["complete#8", "complete#9"]
    assert [row.usd for row in await rows(database)] == [Decimal("0.0125")] * 10


async def test_a_worker_purges_by_itself(ledger: Calls, database: Database) -> None:
    await ledger.record(a_call())  # long ago

    async def gone() -> bool:
        return not [*await database.read(lambda connection: connection.scalars(select(answers.c.run_id)).all())]

    async with ledger.serving(timedelta(days=7)):
        await until(gone)
    assert await outcomes(database) == ["answered"]


async def test_what_fails_to_be_purged_is_not_tried_again_at_once(database: Database, outbox: Outbox) -> None:
    purges, looks = list[datetime](), asyncio.Semaphore(0)

    class Failing(Calls):
        async def purge(self, before: datetime) -> int:
            purges.append(before)
            raise StoreUnavailable("too much at once")

        async def catch_up(self) -> None:
            looks.release()
            await super().catch_up()

    async with Failing(database, outbox, every=timedelta(milliseconds=1)).serving(timedelta(days=7)):
        for _ in range(4):
            await looks.acquire()
    assert len(purges) == 1


async def test_an_outbox_that_cannot_be_read(ledger: Calls, outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    (outbox.folder / "a folder.jsonl").mkdir(parents=True)
    await ledger.catch_up()
    assert "cannot be emptied" in caplog.text
