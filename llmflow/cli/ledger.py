"""Options that select calls of the ledger."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from llmflow.errors import InputInvalid
from llmflow.types.lengths import read_length
from llmflow.types.reports import CallFilter


def parse_since(text: str, now: datetime | None = None) -> date:
    """Parse `2026-11-21`, `today`, or `7d`: the last seven days, today included. `2h` is a moment, two hours ago.

    Args:
        text: Text of the user.
        now: The clock's time if left out.

    Raises:
        typer.BadParameter: it is none of them.
    """
    return _parse(text, 1, now or datetime.now(UTC))


def parse_until(text: str, now: datetime | None = None) -> date:
    """Parse `2026-11-21`, `today`, or `7d`: everything before the last seven days. `2h` is a moment, two hours ago.

    Args:
        text: Text of the user.
        now: The clock's time if left out.

    Raises:
        typer.BadParameter: it is none of them.
    """
    return _parse(text, 0, now or datetime.now(UTC))


def _parse(text: str, today: int, now: datetime) -> date:
    try:
        if text.endswith("h"):
            return now - read_length(text)
        if text.endswith("d"):
            return now.date() - (read_length(text) - timedelta(days=today))
        return now.date() if text == "today" else date.fromisoformat(text)
    except (InputInvalid, ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is not a time: write 2h, 7d, today, or a day such as 2026-11-21") from None


Since = Annotated[
    date | None,
    typer.Option(
        parser=parse_since,
        metavar="2h|7d|DATE",
        help="From then on: two hours ago, the last seven days, `today`, or a day (UTC)",
    ),
]
Until = Annotated[
    date | None,
    typer.Option(
        parser=parse_until,
        metavar="2h|7d|DATE",
        help="Up to and with this day; 2h, 7d: what was before the last two hours, seven days",
    ),
]
RunOf = Annotated[str | None, typer.Option("--run", metavar="ID", help="Only this run and its children")]
TenantOf = Annotated[str | None, typer.Option("--tenant", help="Only calls for this tenant")]
WorkflowOf = Annotated[str | None, typer.Option("--workflow", help="Only runs of this workflow type")]
PromptOf = Annotated[str | None, typer.Option("--prompt", help="Only this prompt: NAME, or NAME@VERSION")]
ModelOf = Annotated[
    str | None, typer.Option("--model", help="Only this model: PROVIDER:MODEL that was asked, or answered")
]
TagOf = Annotated[str | None, typer.Option("--tag", help="Only runs with this tag")]


def days(filter: CallFilter) -> str:
    """Format days, such as `2026-10-23 to 2026-11-21, UTC`, or `since 2026-11-21 13:05, UTC`."""
    since, until = _when(filter.since), _when(filter.until)
    if since and until:
        return f"{since} to {until}, UTC"
    if since:
        return f"since {since}, UTC"
    return f"until {until}, UTC" if until else "from the first call on"


def _when(time: date | None) -> str | None:
    return f"{time:%Y-%m-%d %H:%M}" if isinstance(time, datetime) else time and str(time)
