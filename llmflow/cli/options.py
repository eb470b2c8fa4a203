"""Arguments and options that several commands share, each described once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated

import typer
from pydantic import ValidationError

from llmflow.errors import InputInvalid
from llmflow.types.budgets import Budget
from llmflow.types.lengths import read_length

AppPath = Annotated[
    str | None,
    typer.Option("--app", "-a", metavar="APP", envvar="LLMFLOW_APP", help="The App, as `package.module:attribute`"),
]
"""The one option by which commands name an App. `_apps.load` refuses none, if a command needs one."""
RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run, as `llmflow list` shows it")]


class LogLevel(StrEnum):
    """Level from which a worker logs."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


Log = Annotated[LogLevel, typer.Option(case_sensitive=False, help="What the worker logs: this, and worse")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout")]


def parse_duration(text: str) -> timedelta:
    """Parse a duration: `30s`, `5m`, `2h` or `3d`.

    Raises:
        typer.BadParameter: it is none of them.
    """
    try:
        return read_length(text)
    except InputInvalid as error:
        raise typer.BadParameter(error.message) from None


def parse_budget(text: str) -> Budget:
    """Parse US dollars, such as `0.50`.

    Raises:
        typer.BadParameter: it is not an amount.
    """
    try:
        return Budget(usd=Decimal(text.removeprefix("$")))
    except (InvalidOperation, ValidationError):
        raise typer.BadParameter(f"{text!r} is not an amount: give US dollars up to 9000000, such as 0.50") from None


def parse_moment(text: str, now: datetime | None = None) -> datetime:
    """Parse `2h` (ago), or an ISO date such as `2026-11-21` or `2026-11-21T09:30`, in local time if it names no zone.

    Args:
        text: Text of the user.
        now: The clock's time if left out.

    Raises:
        typer.BadParameter: it is neither.
    """
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        pass  # not a date, or one that no time zone can shift: it may still be a duration
    try:
        return (now or datetime.now(UTC)) - parse_duration(text)
    except (typer.BadParameter, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is not a moment: write 2h (ago), or 2026-11-21, or 2026-11-21T09:30"
        ) from None
