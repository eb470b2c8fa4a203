"""Calls of the ledger that the words of an option select, at any time of the day, in any time zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import typer

from llmflow.cli.ledger import call_filter, days, parse_when, parse_zone
from llmflow.types.reports import CallFilter

LAST = datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
FIRST = datetime(2027, 1, 1, tzinfo=UTC)
BERLIN, SYDNEY = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Sydney")


@pytest.mark.parametrize(
    ("text", "now", "since", "until"),
    [
        ("2026-11-21", LAST, date(2026, 11, 21), date(2026, 11, 21)),
        ("today", LAST, date(2026, 12, 31), date(2026, 12, 31)),
        ("today", FIRST, date(2027, 1, 1), date(2027, 1, 1)),
        ("1d", LAST, date(2026, 12, 31), date(2026, 12, 30)),
        ("1d", FIRST, date(2027, 1, 1), date(2026, 12, 31)),
        ("7d", LAST, date(2026, 12, 25), date(2026, 12, 24)),
        ("7d", FIRST, date(2026, 12, 26), date(2026, 12, 25)),
        ("2h", FIRST, FIRST - timedelta(hours=2), FIRST - timedelta(hours=2)),
    ],
)
def test_a_day_or_a_moment(text: str, now: datetime, since: date, until: date) -> None:
    when = parse_when(text)
    assert (when.since(UTC, now), when.until(UTC, now)) == (since, until)


@pytest.mark.parametrize(
    ("text", "zone", "since", "until"),
    [
        ("2026-07-01", BERLIN, "2026-06-30T22:00", "2026-07-01T22:00"),
        ("2026-03-29", BERLIN, "2026-03-28T23:00", "2026-03-29T22:00"),  # a day of 23 hours
        ("today", SYDNEY, "2026-12-31T13:00", "2027-01-01T13:00"),  # it is tomorrow there
        ("1d", SYDNEY, "2026-12-31T13:00", "2026-12-31T13:00"),
        ("2026-11-21T14:30", UTC, "2026-11-21T14:30", "2026-11-21T14:30"),
        ("2026-11-21 14:30", BERLIN, "2026-11-21T13:30", "2026-11-21T13:30"),
        ("2026-11-21T14:30+05:30", BERLIN, "2026-11-21T09:00", "2026-11-21T09:00"),
    ],
)
def test_days_and_clock_times_of_a_zone(text: str, zone: ZoneInfo, since: str, until: str) -> None:
    when = parse_when(text)
    found = when.since(zone, LAST), when.until(zone, LAST)
    assert [moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M") for moment in found if isinstance(moment, datetime)] == [
        since,
        until,
    ]


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-11-21T25:00", "d", "99999999d"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not a time"):
        parse_when(text)


def test_a_zone_that_does_not_exist() -> None:
    assert (parse_zone("UTC"), parse_zone("Europe/Berlin")) == (UTC, BERLIN)
    with pytest.raises(typer.BadParameter, match=r"no time zone of this machine.*Europe/Berlin"):
        parse_zone("Europe/Berlinn")


def test_a_time_that_ends_before_it_begins_is_refused() -> None:
    def between(since: str, until: str) -> CallFilter:
        return call_filter(parse_when(since), parse_when(until), now=LAST)

    assert between("2026-11-21", "2026-11-21") == CallFilter(since=date(2026, 11, 21), until=date(2026, 11, 21))
    for since, until in (("2026-11-22", "2026-11-20"), ("2h", "3h"), ("today", "2026-12-30T00:00")):
        with pytest.raises(typer.BadParameter, match="after --until"):
            between(since, until)


def test_the_words_of_a_report() -> None:
    first, last = date(2026, 12, 2), date(2026, 12, 31)
    assert days(CallFilter(since=first, until=last)) == "2026-12-02 to 2026-12-31, UTC"
    assert days(CallFilter(since=LAST)) == "since 2026-12-31 23:59, UTC"
    assert days(CallFilter(until=last)) == "until 2026-12-31, UTC"
    assert days(CallFilter()) == "from the first call on"
    assert days(CallFilter(since=LAST), BERLIN) == "since 2027-01-01 00:59, Europe/Berlin"
