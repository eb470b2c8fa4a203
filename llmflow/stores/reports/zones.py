"""Days of a time zone, in SQL: the moments of the ledger are UTC, and SQLite knows no zones."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

from sqlalchemy import BigInteger, Column, ColumnElement, case, literal, type_coerce

_EPOCH = date(1970, 1, 1)
_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)


def local_day(at: Column[datetime], zone: tzinfo, first: datetime, last: datetime) -> ColumnElement[int]:
    """Return the day of a moment in a time zone, as the number of days since 1970.

    Args:
        at: Column of moments.
        zone: The time zone.
        first: The first moment that the column may have.
        last: The last one.
    """
    moment = type_coerce(at, BigInteger)
    *earlier, (_, offset) = _offsets(zone, first, last)
    shift = (
        case(*((at < until, literal(past)) for until, past in earlier), else_=literal(offset)) if earlier else offset
    )
    return (moment + shift) // (_DAY // _MICROSECOND)


def date_of(day: int) -> date:
    """Return the date of a number of days since 1970."""
    return _EPOCH + timedelta(days=day)


def _offsets(zone: tzinfo, first: datetime, last: datetime) -> Iterator[tuple[datetime, int]]:
    """Yield each offset from UTC in microseconds, and the moment at which it ends."""
    now = first.astimezone(UTC)
    while now < last:
        then = min(now + _DAY, last)
        if _offset(zone, now) != _offset(zone, then):
            change = _change(zone, now, then)
            yield change, _offset(zone, now)
            now = change
        else:
            now = then
    yield last, _offset(zone, last)


def _change(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """Return the second at which the offset changes, between two moments less than a day apart."""
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        before, after = (middle, after) if _offset(zone, middle) == _offset(zone, before) else (before, middle)
    return after.replace(microsecond=0)


def _offset(zone: tzinfo, at: datetime) -> int:
    return (at.astimezone(zone).utcoffset() or timedelta()) // _MICROSECOND
