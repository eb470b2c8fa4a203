"""Ledger with one row per call and attempt, and the journal of paid answers."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, Insert, Table, and_, delete, or_, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from llmflow.errors import StoreUnavailable
from llmflow.stores.budgets.settling import close_overdue, settle
from llmflow.stores.conversations.turns import TurnWriter
from llmflow.stores.database import Database
from llmflow.stores.ledger.group_commit import GroupCommit
from llmflow.stores.ledger.outbox import Outbox
from llmflow.stores.ledger.rows import LOST, Call, CallId, answer_of, charge_of, key_of, line_of, row_of
from llmflow.stores.schema import answers, calls, reservations
from llmflow.stores.upsert import insert_into
from llmflow.types.base import changed
from llmflow.types.budgets import BudgetWarning
from llmflow.types.completions import CompletionResult
from llmflow.types.texts import one_line

_log = logging.getLogger("llmflow.stores")

_GROUP = 200
_EVERY = timedelta(seconds=5)
_PATIENCE = 0.05
"""Seconds until a call that the database has not taken goes to the outbox as well: a worker killed later loses none."""
_SWEEP_EVERY = timedelta(minutes=1)
"""Seconds between two checks for overdue reservations: calls may wait for their money."""
_PURGE_EVERY = timedelta(hours=1)
_PURGED = 1000


def _tell_nobody(warnings: Sequence[BudgetWarning]) -> None:
    """Drop warnings."""


class Calls:
    """Writes calls, with group commit. Calls that the database cannot take now wait in the outbox."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        *,
        group: int = _GROUP,
        purged: int = _PURGED,
        every: timedelta = _EVERY,
        patience: float = _PATIENCE,
        warn: Callable[[Sequence[BudgetWarning]], None] = _tell_nobody,
    ) -> None:
        """Configure.

        Args:
            database: The ledger.
            outbox: For calls that it cannot take now.
            group: Maximum rows of one transaction.
            purged: Maximum rows that one transaction deletes.
            every: Time between two checks if calls wait in the outbox.
            patience: Seconds for the database to take a call, before the outbox gets it as well.
            warn: Takes the warnings of budgets.
        """
        self._database = database
        self._outbox = outbox
        self._group, self._purged, self._every, self._patience = group, purged, every, patience
        self._warn = warn
        self._ended = GroupCommit(self._keep, group)
        self._refused = GroupCommit(self._put_aside, group)
        # Ended calls that neither the database nor the outbox took, on a full disk for example.
        self._held: list[Call] = []
        self._catching_up = asyncio.Lock()
        # Built once: building them takes as long as executing them.
        self._upsert = _upsert(database)
        self._turns = TurnWriter(database)
        self._insert_answer = insert_into(database, answers).on_conflict_do_nothing()

    async def check(self) -> None:
        """Check the database before a model is asked: an answer that cannot be recorded should not be paid for.

        Raises:
            StoreUnavailable: the database does not answer, and did not for the last seconds. Or it answers, but does
                not take the last calls, and neither does the outbox.
        """
        await self._database.check()
        if self._held:
            await self.catch_up()

    async def paid(self, id: CallId, request_hash: str) -> CompletionResult | None:
        """Return the answer that an earlier attempt of the same call paid for, if there is one.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        await self.catch_up()  # it may have been written to the outbox during an outage
        same = (answers.c.run_id == id.run_id, answers.c.activity_id == id.activity_id)
        query = select(answers.c.result).where(*same, answers.c.request_hash == request_hash)
        found = await self._database.read(lambda connection: connection.scalar(query))
        return CompletionResult.model_validate_json(found) if found else None

    async def record_lost(self, call: Call) -> None:
        """Record earlier attempts of `call` that left no row: their workers died, and the vendor may bill them.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        same = (calls.c.run_id == call.id.run_id, calls.c.activity_id == call.id.activity_id)
        query = select(calls.c.attempt).where(*same)
        known = await self._database.read(lambda connection: connection.scalars(query).all())
        missing = sorted({*range(1, call.id.attempt)} - {*known})
        lost = [changed(call, id=changed(call.id, attempt=attempt), outcome=LOST) for attempt in missing]
        if lost:
            await self._write(lost)

    async def record(self, call: Call) -> None:
        """Record a call and its answer. Returns when both are safe, and never raises, because the call may be paid.

        If the database is slow, the call goes to a file as well; if it does not answer, from there to the database
        later. Both writes together are the same as one.
        """
        written = asyncio.ensure_future(self._ended.add(call))
        done, _ = await asyncio.wait({written}, timeout=self._patience)
        if done:
            return
        async with self._in_file(call):
            await written

    async def record_later(self, call: Call) -> None:
        """Record a call in the outbox, because the database is known to be away."""
        await self._refused.add(call)

    @asynccontextmanager
    async def serving(self, keep_answers: timedelta) -> AsyncGenerator[None]:
        """Move waiting calls to the database and delete old answers, for as long as the context is open."""
        task = asyncio.create_task(self._look_after(keep_answers))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._ended.finish()
            await self._refused.finish()
            await self._write_held()

    async def purge(self, before: datetime) -> int:
        """Delete old answers, but not their cost, and old settled reservations. Return the number of answers.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        await self._delete(reservations, and_(reservations.c.settled, reservations.c.until < before))
        return await self._delete(answers, answers.c.at < before)

    async def sweep(self, now: datetime) -> None:
        """Record attempts as lost if their worker was killed and no later attempt recorded them.

        Covers only calls with a budget: a reservation is the only trace of such an attempt.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        while True:
            lines, warnings = await close_overdue(self._database, now, self._group)
            self._warn(warnings)
            if not lines:
                return
            await self._keep(await self._parsed(lines))

    async def catch_up(self) -> None:
        """Write the calls that wait in the outbox.

        Raises:
            StoreUnavailable: the database does not answer; the rest keeps waiting.
        """
        try:
            async with self._catching_up, aclosing(self._outbox.each()) as files:
                if (
                    self._database.is_away
                ):  # the holder of the lock found out; each waiter would need seconds to find the same
                    raise StoreUnavailable(f"the store {self._database.name} did not answer a moment ago")
                if held := [*self._held]:
                    await self._write_or_refuse(held)
                    del self._held[: len(held)]
                async for lines in files:
                    await self._write_or_refuse(await self._parsed(lines))
        except OSError as error:
            _log.error("calls wait in %s, which cannot be emptied: %s", self._outbox.folder, error)

    async def _look_after(self, keep_answers: timedelta) -> None:
        sweep_at = purge_at = datetime.min.replace(tzinfo=UTC)
        while True:
            try:
                await self.catch_up()
                now = await self._database.now()
                # The next time is set first, so that a failure is not retried every few seconds.
                if now >= sweep_at:
                    sweep_at = now + _SWEEP_EVERY
                    await self.sweep(now)
                if now >= purge_at:
                    purge_at = now + _PURGE_EVERY
                    await self.purge(now - keep_answers)
            except StoreUnavailable:
                pass  # every call reports it already
            except SQLAlchemyError as error:
                _log.error("the maintenance of the store failed: %s", error)
            await asyncio.sleep(self._every.total_seconds())

    async def _keep(self, rows: Sequence[Call]) -> None:
        try:
            if not self._database.is_away:  # else each group of an outage would wait until its deadline
                await self._write_or_refuse(rows)
                return
        except StoreUnavailable as error:
            _log.warning("%s Calls are kept in %s until then", error.message, self._outbox.folder)
        if not await self._put_aside(rows):
            self._held += rows  # no model is asked until they are written
            _log.error("%d calls wait in memory: neither the store nor the outbox takes them", len(rows))

    @asynccontextmanager
    async def _in_file(self, call: Call) -> AsyncGenerator[None]:
        """Keep a call in the outbox for as long as the context is open, and after it if the worker dies in it."""
        path = None
        try:
            path = await self._outbox.put([line_of(call)])
        except OSError as error:
            _log.error("the outbox %s cannot be written: %s", self._outbox.folder, error)
        yield
        if path:
            path.unlink(missing_ok=True)

    async def _put_aside(self, rows: Sequence[Call]) -> bool:
        try:
            await self._outbox.put([line_of(call) for call in rows])
        except OSError as error:
            _log.error("the outbox %s cannot be written: %s", self._outbox.folder, error)
            return False
        return True

    async def _write_held(self) -> None:
        with suppress(StoreUnavailable):
            await self.catch_up()
        for call in self._held:  # their answers are in their histories, so only the ledger misses them
            _log.error("a call is in no ledger: %s", one_line(line_of(call)))

    async def _parsed(self, lines: Sequence[str]) -> Sequence[Call]:
        rows: list[Call] = []
        for line in lines:
            try:
                rows.append(Call.model_validate_json(line))
            except ValidationError as error:
                await self._refuse(line, error)
        return rows

    async def _write_or_refuse(self, rows: Sequence[Call]) -> None:
        """Write the rows that the database takes. A row that it will never take must not block the others."""
        try:
            await self._write(rows)
        except StoreUnavailable:
            raise
        except Exception as error:  # any error: a paid answer must reach its history, and the other rows theirs
            if len(rows) == 1:
                await self._refuse(line_of(rows[0]), error)
                return
            for row in rows:
                await self._write_or_refuse([row])

    async def _refuse(self, line: str, error: Exception) -> None:
        try:
            path = await self._outbox.refuse([line])
        except OSError:
            _log.error(
                "a call is in no ledger, because the store does not take it (%s): %s",
                one_line(str(error)),
                one_line(line),
            )
        else:
            _log.error("the store does not take a call, which is kept in %s: %s", path, one_line(str(error)))

    async def _write(self, rows: Sequence[Call]) -> None:
        # The same order everywhere, because each row is locked until the end: otherwise two workers deadlock.
        rows = sorted(rows, key=key_of)
        kept = [answer_of(call) for call in rows if call.result]
        # Another attempt records a lost one, and does not know what that had reserved.
        charges = [charge_of(call) for call in rows if call.reserved or call.outcome == LOST]

        def insert(connection: Connection) -> Sequence[BudgetWarning]:
            if rows:
                connection.execute(self._upsert, [row_of(call) for call in rows])
            if kept:
                connection.execute(self._insert_answer, kept)
            self._turns.write(connection, [call.turn for call in rows if call.turn])
            return settle(connection, charges)

        self._warn(await self._database.write(insert))

    async def _delete(self, table: Table, where: ColumnElement[bool]) -> int:
        """Delete many rows in batches, and return their number."""
        key = tuple_(*table.primary_key)
        some = delete(table).where(key.in_(select(*table.primary_key).where(where).limit(self._purged)))
        gone = 0
        while True:
            deleted = await self._database.write(lambda connection: connection.execute(some).rowcount)
            gone += deleted
            if deleted < self._purged:
                return gone


def _upsert(database: Database) -> Insert:
    """Upsert that is idempotent and order-independent: cost is never lowered, and any outcome overrides `lost`."""
    into = insert_into(database, calls)
    values = {column.name: into.excluded[column.name] for column in calls.c if not column.primary_key}
    news = or_(calls.c.outcome == LOST, and_(calls.c.model.is_(None), into.excluded.model.is_not(None)))
    return into.on_conflict_do_update(index_elements=calls.primary_key, set_=values, where=news)
