"""One row of the price table: a vendor's usage, its rule, and what the rule makes of it by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

Json = dict[str, Any]  # Any: whatever a vendor writes

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""A Friday, outside of all peak hours."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A call, and its cost by the vendor's rule."""

    name: str
    rule: str
    """The vendor's rule, with its source."""
    asked: str
    """`provider:model`."""
    usage: object
    usd: Decimal | None
    """US dollars, from the vendor's prices by hand; `None` if the rule cannot be known."""
    unknown: str = ""
    """Part of the reason, if there is no price."""
    doubt: str = ""
    """Part of `source` that says what is doubtful."""
    answered: str | None = None
    url: str | None = None
    through: Literal["anthropic", "gemini"] | None = None
    """The part of litellm that converts the usage first."""
    api: Literal["chat", "responses"] = "chat"
    answer: Json = field(default_factory=dict[str, Any])
    """Other fields of the answer."""
    message: Json = field(default_factory=dict[str, Any])
    """Other fields of the message of Chat Completions."""
    options: Json = field(default_factory=dict[str, Any])
    """Options of the request."""
    chunks: tuple[Json, ...] = ()
    """Instead of `usage`: that of each chunk of a stream."""
    at: datetime = NOW


def rule(says: str, source: str, /, common: Mapping[str, Any], *rows: Mapping[str, Any]) -> tuple[Row, ...]:
    """Return rows with what they share.

    Args:
        says: The vendor's rule.
        source: Its page, or the file of an SDK.
        common: Fields of all rows.
        rows: Fields of each row.
    """
    shared: Json = {"rule": f"{says} ({source})", **common}
    return tuple(Row(**{**shared, **row}) for row in rows)


def per_million(*parts: tuple[int, str]) -> Decimal:
    """Add counts times dollars per million."""
    return sum((Decimal(count) * Decimal(price) for count, price in parts), Decimal(0)) / 1_000_000


def each(count: int, price: str) -> Decimal:
    return count * Decimal(price)


def chat(read: int, written: int, **more: object) -> Json:
    """Return a usage of Chat Completions with its sum, and other fields."""
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written, **more}


def responses(read: int, written: int, cached: int = 0, thought: int = 0, **more: object) -> Json:
    """Return a usage of the Responses API."""
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": read + written,
        **more,
    }
