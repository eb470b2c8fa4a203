"""Calls of the ledger that the words of an option select, at any time of the day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from llmflow.cli.ledger import days, parse_since, parse_until
from llmflow.types.reports import CallFilter

LAST = datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
FIRST = datetime(2027, 1, 1, tzinfo=UTC)


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
    assert (parse_since(text, now), parse_until(text, now)) == (since, until)


def test_the_words_of_a_report() -> None:
    first, last = date(2026, 12, 2), date(2026, 12, 31)
    assert days(CallFilter(since=first, until=last)) == "2026-12-02 to 2026-12-31, UTC"
    assert days(CallFilter(since=LAST)) == "since 2026-12-31 23:59, UTC"
    assert days(CallFilter(until=last)) == "until 2026-12-31, UTC"
    assert days(CallFilter()) == "from the first call on"
