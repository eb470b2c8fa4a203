"""Options that select calls of the ledger."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

import typer

from llmflow.errors import InputInvalid, did_you_mean
from llmflow.types.lengths import read_length
from llmflow.types.reports import CallFilter


@dataclass(frozen=True)
class When:
    """A time as a user writes it: `2026-11-21`, `2026-11-21T14:30`, `today`, `7d`, `2h`. A time zone gives it a day."""

    text: str

    def since(self, zone: tzinfo, now: datetime) -> date:
        """Return the first day, or moment, from this time on: `7d` is the last seven days, today included."""
        return _in_zone(self._time(zone, now, today=1), zone)

    def until(self, zone: tzinfo, now: datetime) -> date:
        """Return the last day, or the moment after the last one: `7d` is everything before the last seven days."""
        last = self._time(zone, now, today=0)
        if zone is UTC or isinstance(last, datetime):
            return last
        return _in_zone(last + timedelta(days=1), zone)

    def _time(self, zone: tzinfo, now: datetime, *, today: int) -> date:
        now = now.astimezone(zone)
        if self.text.endswith("h"):
            return now - read_length(self.text)
        if self.text.endswith("d"):
            return now.date() - (read_length(self.text) - timedelta(days=today))
        if self.text == "today":
            return now.date()
        if len(self.text) <= len("2026-11-21"):
            return date.fromisoformat(self.text)
        moment = datetime.fromisoformat(self.text)
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _in_zone(day: date, zone: tzinfo) -> date:
    """Return a day's first moment in the time zone; a moment, or a day in UTC, which has an index, as it is."""
    return day if zone is UTC or isinstance(day, datetime) else datetime.combine(day, time.min, zone)


def parse_when(text: str) -> When:
    """Check a time.

    Raises:
        typer.BadParameter: it is none.
    """
    when, now = When(text), datetime.now(UTC)
    try:
        when.since(UTC, now)
        when.until(UTC, now)
    except (InputInvalid, ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is not a time: write 2h, 7d, today, a day such as 2026-11-21, or 2026-11-21T14:30"
        ) from None
    return when


def parse_zone(text: str) -> tzinfo:
    """Parse the name of a time zone, such as `Europe/Berlin`.

    Raises:
        typer.BadParameter: there is no such zone on this machine.
    """
    if text == "UTC":
        return UTC
    known = available_timezones()
    if text not in known:
        raise typer.BadParameter(f"{text!r} is no time zone of this machine{did_you_mean(text, known)}")
    return ZoneInfo(text)


Since = Annotated[
    When | None,
    typer.Option(
        parser=parse_when,
        metavar="2h|7d|DATE|TIME",
        help="From then on: two hours ago, the last seven days, `today`, a day, or a time such as 2026-11-21T14:30",
    ),
]
Until = Annotated[
    When | None,
    typer.Option(
        parser=parse_when,
        metavar="2h|7d|DATE|TIME",
        help="Up to and with this day, or before this time; 2h, 7d: before the last two hours, seven days",
    ),
]
Zone = Annotated[
    tzinfo | None,
    typer.Option("--zone", parser=parse_zone, metavar="NAME", help="Time zone, such as Europe/Berlin [default: UTC]"),
]
RunOf = Annotated[str | None, typer.Option("--run", metavar="ID", help="Only this run and its children")]
TenantOf = Annotated[str | None, typer.Option("--tenant", help="Only calls for this tenant")]
WorkflowOf = Annotated[str | None, typer.Option("--workflow", help="Only runs of this workflow type")]
PromptOf = Annotated[str | None, typer.Option("--prompt", help="Only this prompt: NAME, or NAME@VERSION")]
ModelOf = Annotated[
    str | None, typer.Option("--model", help="Only this model: PROVIDER:MODEL that was asked, or answered")
]
TagOf = Annotated[str | None, typer.Option("--tag", help="Only runs with this tag")]


def call_filter(
    since: When | None, until: When | None, zone: tzinfo = UTC, now: datetime | None = None, **names: str | None
) -> CallFilter:
    """Make the filter of the options.

    Args:
        since: Option `--since`.
        until: Option `--until`.
        zone: Time zone of days and of clock times.
        now: The clock's time if left out.
        names: Fields of `CallFilter` that select by name.

    Raises:
        typer.BadParameter: the time ends before it begins.
    """
    now = now or datetime.now(UTC)
    begin, end = since and since.since(zone, now), until and until.until(zone, now)
    if begin and end and _moment(begin) > _moment(end) + (timedelta() if isinstance(end, datetime) else timedelta(1)):
        raise typer.BadParameter("it is after --until: no call can be in between", param_hint="--since")
    return CallFilter.model_validate({"since": begin, "until": end, **names})


def days(filter: CallFilter, zone: tzinfo = UTC) -> str:
    """Format days, such as `2026-10-23 to 2026-11-21, UTC`, or `since 2026-11-21 13:05, UTC`."""
    since, until = _when(filter.since, zone), _when(filter.until, zone)
    if since and until:
        return f"{since} to {until}, {zone}"
    if since:
        return f"since {since}, {zone}"
    return f"until {until}, {zone}" if until else "from the first call on"


def _when(time: date | None, zone: tzinfo) -> str | None:
    return f"{time.astimezone(zone):%Y-%m-%d %H:%M}" if isinstance(time, datetime) else time and str(time)


def _moment(day: date) -> datetime:
    return day if isinstance(day, datetime) else datetime.combine(day, time.min, UTC)
