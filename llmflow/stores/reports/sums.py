"""Sums of money, exact and without a ceiling."""

from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, func, type_coerce

Column = ColumnElement[Any]  # Any: texts, numbers and money; the columns of a report are composed

_MILLION = 10**6
_TRILLION = Decimal(10**12)


def money(name: str, amount: Column) -> tuple[Column, Column]:
    """Add up millions of trillionths and the rest apart: SQLite's sums end at 9.2 million dollars."""
    units = type_coerce(amount, BigInteger)
    return func.sum(units // _MILLION).label(name), func.sum(units % _MILLION).label(f"{name}_rest")


def usd_of(row: object, name: str) -> Decimal:
    """Return the US dollars of a sum by `money`; 0 without rows."""
    whole, rest = (int(getattr(row, part) or 0) for part in (name, f"{name}_rest"))
    return Decimal(whole * _MILLION + rest) / _TRILLION
