"""The ledger, one row per call and attempt, and the journal of answers that were paid."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from llmflow.errors import StoreUnavailable
from llmflow.stores.database import Database
from llmflow.stores.outbox import Outbox
from llmflow.stores.schema import answers, calls
from llmflow.types.completions import CompletionResult
from llmflow.types.origins import Origin
from llmflow.types.prompts import PromptRef, PromptSource
from llmflow.types.usage import Usage

_log = logging.getLogger("llmflow.stores")

ANSWERED, REFUSED, LOST, CANCELLED = "answered", "refused", "lost", "cancelled"
_BATCH = 200
"""Rows of one transaction at most."""
_EVERY = timedelta(seconds=5)
"""Between two looks whether calls wait in the outbox."""
_PURGE_EVERY = timedelta(hours=1)


class CallId(BaseModel):
    """Where a call stands in Temporal: its run, its activity, and which attempt of it."""

    model_config = ConfigDict(frozen=True)

    workflow_id: str
    run_id: str
    workflow_type: str
    activity_id: str
    attempt: int


class Call(BaseModel):
    """One attempt of one call, as the ledger keeps it."""

    model_config = ConfigDict(frozen=True)

    id: CallId
    request_hash: str
    prompt: PromptRef
    source: PromptSource
    origin: Origin
    repair: int = 0
    """Answers before this one that did not fit the type."""
    model_asked: str
    """`provider:model`."""
    at: datetime
    """When it began."""
    outcome: str
    """`answered`, `refused` by the model, `cancelled`, `lost` with its worker, or the class of the error."""
    latency: float | None = None
    """Seconds from the request to the whole answer; `None` if no answer came."""
    result: CompletionResult | None = None
    base_url: str | None = None
    """Where the answer came from: with it a later price list finds the vendor again."""


class Calls:
    """Writes calls, those that come together in one transaction. What the database cannot take now, waits."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox
        self._waiting: list[tuple[Call, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def check(self) -> None:
        """Ask before a model is asked: an answer that cannot be recorded should not be bought.

        Raises:
            StoreUnavailable: the database does not answer, and has not for the last seconds.
        """
        await self._database.check()

    async def paid(self, id: CallId, request_hash: str) -> CompletionResult | None:
        """The answer that an earlier attempt of the same call paid for, if one did.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        same = (answers.c.run_id == id.run_id, answers.c.activity_id == id.activity_id)
        query = select(answers.c.result).where(*same, answers.c.request_hash == request_hash)
        found = await self._database.read(lambda connection: connection.scalar(query))
        return CompletionResult.model_validate_json(found) if found else None

    async def record_lost(self, call: Call) -> None:
        """Keep the earlier attempts of `call` that left no row: their workers died, and the vendor may bill them.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        same = (calls.c.run_id == call.id.run_id, calls.c.activity_id == call.id.activity_id)
        query = select(calls.c.attempt).where(*same)
        known = await self._database.read(lambda connection: connection.scalars(query))
        missing = sorted({*range(1, call.id.attempt)} - {*known})
        lost = [
            call.model_copy(update={"id": call.id.model_copy(update={"attempt": attempt}), "outcome": LOST})
            for attempt in missing
        ]
        if lost:
            await self._write(lost)

    async def record(self, call: Call) -> None:
        """Keep a call, and its answer. Returns when it is safe.

        While the database does not answer, it goes to a file, and from there to the database later.
        """
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_waiting())
        await asyncio.shield(written)

    async def record_later(self, call: Call) -> None:
        """Keep a call of which it is known that the database cannot take it now."""
        await self._put_aside([call])

    @asynccontextmanager
    async def serving(self, keep_answers: timedelta) -> AsyncGenerator[None]:
        """While it is open, calls that wait go to the database, and old answers go away."""
        task = asyncio.create_task(self._look_after(keep_answers))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if self._writing:
                await self._writing

    async def purge(self, before: datetime) -> int:
        """Forget the answers of that time, not what they cost; how many there were.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        old = delete(answers).where(answers.c.at < before)
        return (await self._database.write(lambda connection: connection.execute(old))).rowcount

    async def catch_up(self) -> None:
        """Write what waits in the outbox.

        Raises:
            StoreUnavailable: the database does not answer; the rest goes on waiting.
        """
        async with aclosing(self._outbox.each()) as files:
            async for lines in files:
                await self._write([Call.model_validate_json(line) for line in lines])

    async def _look_after(self, keep_answers: timedelta) -> None:
        purged_at: datetime | None = None
        while True:
            try:
                await self.catch_up()
                now = datetime.now(UTC)
                if purged_at is None or now - purged_at > _PURGE_EVERY:
                    await self.purge(now - keep_answers)
                    purged_at = now
            except StoreUnavailable:
                pass  # every call says so already
            await asyncio.sleep(_EVERY.total_seconds())

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            rows = [call for call, _ in batch]
            try:
                await self._write(rows)
            except StoreUnavailable as error:
                _log.warning("%s Calls are kept in %s until it does", error.message, self._outbox.folder)
                await self._put_aside(rows)
            finally:
                for _, written in batch:
                    if not written.done():
                        written.set_result(None)

    async def _put_aside(self, rows: Sequence[Call]) -> None:
        try:
            await self._outbox.put([call.model_dump_json() for call in rows])
        except OSError as error:  # the answers still reach their histories, so only the ledger misses them
            _log.error(
                "%d calls are in no ledger, because %s cannot be written: %s", len(rows), self._outbox.folder, error
            )

    async def _write(self, rows: Sequence[Call]) -> None:
        async def insert(connection: AsyncConnection) -> None:
            new = (sqlite if self._database.is_sqlite else postgresql).insert
            into = new(calls)
            values = {column.name: into.excluded[column.name] for column in calls.c if not column.primary_key}
            # What is known wins over `lost`; everything else stays as it was first written, however often it comes.
            await connection.execute(
                into.on_conflict_do_update(
                    index_elements=calls.primary_key, set_=values, where=calls.c.outcome == LOST
                ),
                [_row(call) for call in rows],
            )
            kept = [_answer(call) for call in rows if call.result]
            if kept:
                await connection.execute(new(answers).on_conflict_do_nothing(), kept)

        await self._database.write(insert)


def _row(call: Call) -> dict[str, object]:
    result = call.result
    cost = result.cost if result else None
    usage = result.usage if result else Usage()
    return {
        **call.id.model_dump(),
        **usage.__dict__,
        "root_id": call.origin.root or call.id.workflow_id,
        "request_hash": call.request_hash,
        "outcome": call.outcome,
        "prompt": call.prompt.name,
        "version": call.prompt.version,
        "label": call.source.label,
        "arm": call.source.arm,
        "model_asked": call.model_asked,
        "model": result.model if result else None,
        "response_id": result.response_id if result else None,
        "base_url": call.base_url,
        "repair": call.repair,
        "at": call.at,
        "day": call.at.astimezone(UTC).date(),
        "latency_ms": None if call.latency is None else round(call.latency * 1000),
        "first_token_ms": None,
        "usd": cost.usd if cost else None,
        "price_source": cost.source if cost else None,
        "price_matched": cost.matched if cost else None,
        "price_date": None,
        "tier": cost.tier if cost else None,
        "tenant": call.origin.tenant,
        "user_id": call.origin.user,
        "tags": list(call.origin.tags),
    }


def _answer(call: Call) -> dict[str, object]:
    return {
        "run_id": call.id.run_id,
        "activity_id": call.id.activity_id,
        "request_hash": call.request_hash,
        "result": call.result.model_dump_json() if call.result else "",
        "at": call.at,
    }
