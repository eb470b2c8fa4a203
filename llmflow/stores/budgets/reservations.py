"""Reservations: money taken from every budget of a call before the call.

A sum in workflow code is not enough: it misses parallel branches, children, and attempts that died after they paid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, Row, Update, and_, literal, or_, select, update

from llmflow.errors import BudgetExceeded, BudgetReserved, ErrorDetail, NoRoom
from llmflow.stores.database import Database, clock
from llmflow.stores.schema import Dollars, budgets, reservations
from llmflow.stores.upsert import insert_into
from llmflow.types.base import changed
from llmflow.types.budgets import Budget, Period, Scope
from llmflow.types.usage import dollars

_SOON = 2.0
"""Seconds until the next attempt of a call that other calls' reservations keep out."""
_FRESH = 5.0
"""Seconds until a worker notices a new budget of a tenant, user, tag, App or key."""
_NAMED = tuple(scope for scope in get_args(Scope) if scope != "run")
"""Scopes of budgets that people make, few beside those of runs."""
_Found = Row[Any]  # Any: the columns of `budgets`


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """Upper bound of the money that one attempt of one call may cost."""

    run: str
    """Workflow id of the run that was given the budget, for people."""
    run_id: str
    activity_id: str
    attempt: int
    model: str
    """`provider:model` to ask."""
    budget: Budget | None
    """Budget of the run."""
    scopes: tuple[tuple[Scope, str], ...] = ()
    """Other budgets that cover the call, if they exist: scope and name."""
    usd: Decimal
    least: Decimal = Decimal(0)
    """Cost of the input alone, which is what a vendor bills at least if it bills a call without an answer."""
    unknown: str | None = None
    """Reason why the call may cost more than `usd`; `None` if it cannot."""
    lasts: timedelta
    """Time from now by which its attempt has ended in any case."""


class _NoRoom(Exception):
    """Takes nothing from any budget: the transaction is rolled back."""

    def __init__(self, found: _Found) -> None:
        self.found = found


class Budgets:
    """Spent and reserved money of each budget."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._named: frozenset[tuple[str, str]] = frozenset()
        self._named_at = -_FRESH

    async def covering(self, scopes: Sequence[tuple[Scope, str]]) -> tuple[tuple[Scope, str], ...]:
        """Return the scopes that have a budget; a new one is noticed within 5 seconds.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        if monotonic() - self._named_at >= _FRESH:
            query = select(budgets.c.scope, budgets.c.name).where(budgets.c.scope.in_(_NAMED))
            found = await self._database.read(lambda connection: connection.execute(query).all())
            self._named, self._named_at = frozenset((row.scope, row.name) for row in found), monotonic()
        return tuple(scope for scope in scopes if scope in self._named)

    async def reserve(self, wanted: Reservation, *, lost: str) -> None:
        """Reserve the money of a call in all its budgets, or refuse the call before the model is asked.

        Args:
            wanted: Amount of money, and its deadline.
            lost: Record to write if nothing ends the attempt, see `settling.close_overdue`.

        Raises:
            BudgetExceeded: a budget has no room, and waiting does not help.
            BudgetReserved: there will be room if in-flight calls cost less than their reservations.
            StoreUnavailable: the database does not answer.
        """
        if wanted.budget is None and not wanted.scopes:
            return
        try:
            await self._database.write(lambda connection: self._take(connection, wanted, lost))
        except _NoRoom as refused:
            if refused.found.full == "ask":  # a person may raise it, so its row stays
                await self._database.write(lambda connection: self._make(connection, wanted, clock(connection)))
            raise _refusal(wanted, refused.found) from None

    async def hold(self, wanted: Reservation, *, lost: str) -> None:
        """Reserve money that is spent already, also in a budget without room: its record gives it back, or spends it.

        Args:
            wanted: Amount of money, and its deadline.
            lost: Record to write if nothing else does, see `settling.close_overdue`.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        await self._database.write(lambda connection: self._take(connection, wanted, lost, anyway=True))

    def _take(self, connection: Connection, wanted: Reservation, lost: str, *, anyway: bool = False) -> None:
        now = clock(connection)
        self._make(connection, wanted, now)
        rows = connection.execute(select(budgets).where(_covers(wanted))).all()
        # The same order everywhere, because each row is locked until the end: otherwise two workers deadlock. Not the
        # database's order, which sorts texts by its own rules.
        for found in sorted(rows, key=lambda row: row.id):
            since = first_day(found.period, now)
            # One row per attempt: a second write of the same attempt finds the first, and takes nothing.
            row = insert_into(self._database, reservations).values(
                run_id=wanted.run_id,
                activity_id=wanted.activity_id,
                attempt=wanted.attempt,
                budget=found.id,
                since=since,
                usd=wanted.usd,
                assumed=min(wanted.usd, wanted.least) if found.uncertain == "lowest" else wanted.usd,
                bounded=wanted.unknown is None,
                until=now + wanted.lasts,
                settled=False,
                lost=lost,
            )
            if not connection.execute(row.on_conflict_do_nothing()).rowcount:
                continue
            if since:
                connection.execute(_begin_anew(found.id, since))
            taken = connection.execute(_from(found.id, wanted, anyway=anyway))
            if not taken.rowcount:
                raise _NoRoom(connection.execute(select(budgets).where(budgets.c.id == found.id)).one())

    def _make(self, connection: Connection, wanted: Reservation, now: datetime) -> None:
        """Make the row of the run's budget, at its first call."""
        if wanted.budget:
            new = insert_into(self._database, budgets).values(**_of_run(wanted.run, wanted.budget, now))
            connection.execute(new.on_conflict_do_nothing())

    async def spent(self, budget: Budget) -> Decimal:
        """Return the US dollars that are spent of a budget, or assumed to be.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        query = select(budgets.c.spent).where(budgets.c.id == budget.id)
        return await self._database.read(lambda connection: connection.scalar(query)) or Decimal(0)


def first_day(period: Period | None, now: datetime) -> date | None:
    """Return the first day of the current period, in UTC; `None` for a budget that never begins anew."""
    return now.date().replace(day=1) if period == "month" else now.date() if period else None


def of_attempt(run_id: str, activity_id: str, attempt: int) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the reservations of one attempt."""
    return (
        reservations.c.run_id == run_id,
        reservations.c.activity_id == activity_id,
        reservations.c.attempt == attempt,
    )


def _of_run(run: str, budget: Budget, now: datetime) -> dict[str, object]:
    return {
        "id": budget.id,
        "scope": "run",
        "name": run,
        "usd": budget.usd,
        "unpriced": budget.unpriced,
        "uncertain": budget.uncertain,
        "full": budget.full,
        "warned": 0,
        "spent": Decimal(0),
        "reserved": Decimal(0),
        "at": now,
    }


def _covers(wanted: Reservation) -> ColumnElement[bool]:
    c = budgets.c
    own = [c.id == wanted.budget.id] if wanted.budget else []
    return or_(*own, *(and_(c.scope == scope, c.name == name) for scope, name in wanted.scopes))


def _begin_anew(id: str, since: date) -> Update:
    anew = {"spent": Decimal(0), "closed": None, "warned": 0, "since": since}
    return update(budgets).values(anew).where(budgets.c.id == id, budgets.c.since < since)


def _from(id: str, wanted: Reservation, *, anyway: bool) -> Update:
    """Take the money, if there is room and the budget takes such calls, or anyway."""
    c, usd = budgets.c, literal(wanted.usd, Dollars)  # a sum of columns loses the money type
    room = [c.id == id]
    if not anyway:
        room += [c.closed.is_(None), c.spent + c.reserved + usd <= c.usd]
    if wanted.unknown is not None:
        room.append(c.unpriced == "allow")
    return update(budgets).values(reserved=c.reserved + usd).where(*room)


def _refusal(wanted: Reservation, found: _Found) -> BudgetExceeded | BudgetReserved:
    each = {"day": " a day", "month": " a month", None: ""}[found.period]
    detail = ErrorDetail(field="budget", model=wanted.model, cheaper=found.full == "cheaper")
    known = f"budget of {dollars(found.usd)}{each} for {found.scope} {found.name}"
    if found.closed:
        return BudgetExceeded(f"{known} is closed: {found.closed}", detail)
    if wanted.unknown is not None and found.unpriced == "refuse":
        return BudgetExceeded(f"{known}: {wanted.unknown}", detail)
    call = f"the next call may cost {dollars(wanted.usd)}"
    if found.spent + wanted.usd > found.usd:
        if found.full == "ask":
            per = f" per {found.period}" if found.period else ""
            name = "run" if found.scope == "run" else f"{found.scope} {found.name}{per}"
            detail = changed(detail, no_room=NoRoom(id=found.id, budget=name, limit=found.usd, call=wanted.usd))
        return BudgetExceeded(
            f"{known}: {dollars(found.spent)} is spent, and {call}. Give the {found.scope} a larger budget, a cheaper "
            "model, or a smaller `max_output_tokens`",
            detail,
        )
    return BudgetReserved(
        f"{known}: {dollars(found.spent)} is spent, {dollars(found.reserved)} reserved by in-flight calls, and {call}",
        ErrorDetail(retry_after=_SOON),
    )
