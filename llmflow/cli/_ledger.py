"""What the commands that read the ledger share: where it is, and the options that choose calls."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from llmflow.config import Settings
from llmflow.stores.database import Database
from llmflow.types.reports import CallFilter

_DAYS = 30
"""Of a report where nobody says more."""


def parse_since(text: str) -> date:
    """`2026-11-21`, or `7d`: the last seven days, of which today is one.

    Raises:
        typer.BadParameter: it is neither.
    """
    return _parse_day(text, 1)


def parse_until(text: str) -> date:
    """`2026-11-21`, or `7d`: what was before the last seven days.

    Raises:
        typer.BadParameter: it is neither.
    """
    return _parse_day(text, 0)


def _parse_day(text: str, today: int) -> date:
    number = text.removesuffix("d")
    try:
        if number != text and number.isascii() and number.isdigit():
            return datetime.now(UTC).date() - timedelta(days=int(number) - today)
        return date.fromisoformat(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is no day: write 2026-11-21, or 7d for seven days") from None


Since = Annotated[date | None, typer.Option(parser=parse_since, metavar="7d|DATE", help="From this day on, in UTC")]
Until = Annotated[date | None, typer.Option(parser=parse_until, metavar="7d|DATE", help="Up to and with this day")]
RunOf = Annotated[str | None, typer.Option("--run", help="Only this run and its children")]
TenantOf = Annotated[str | None, typer.Option("--tenant", help="Only calls for this tenant")]
WorkflowOf = Annotated[str | None, typer.Option("--workflow", help="Only runs of this workflow type")]
PromptOf = Annotated[str | None, typer.Option("--prompt", help="Only this prompt: NAME, or NAME@VERSION")]
ModelOf = Annotated[str | None, typer.Option("--model", help="Only this model: PROVIDER:MODEL, as asked or answered")]
TagOf = Annotated[str | None, typer.Option("--tag", help="Only runs with this tag")]


def recent(filter: CallFilter) -> CallFilter:
    """Of the last 30 days, where neither days nor a run are named."""
    if filter.since or filter.until or filter.run:
        return filter
    return filter.model_copy(update={"since": parse_since(f"{_DAYS}d")})


@asynccontextmanager
async def ledger() -> AsyncGenerator[Database]:
    """The store that the settings name.

    Raises:
        ConfigInvalid: it has no usable URL, or an older schema.
        StoreUnavailable: it does not answer.
    """
    async with Database(Settings.load().store_url) as database:
        yield database


def days(filter: CallFilter) -> str:
    """Such as `2026-10-23 to 2026-11-21, UTC`."""
    if filter.since and filter.until:
        return f"{filter.since} to {filter.until}, UTC"
    if filter.since:
        return f"since {filter.since}, UTC"
    return f"until {filter.until}, UTC" if filter.until else "from the first call on"
