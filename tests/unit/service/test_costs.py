"""Calls of a report without days."""

from datetime import UTC, date, datetime

from llmflow.service.costs import recent
from llmflow.types.reports import CallFilter

LAST = datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
FIRST = datetime(2027, 1, 1, tzinfo=UTC)


def test_without_days_it_is_the_last_thirty() -> None:
    assert recent(CallFilter(tenant="acme"), now=LAST) == CallFilter(tenant="acme", since=date(2026, 12, 2))
    assert recent(CallFilter(), now=FIRST) == CallFilter(since=date(2026, 12, 3))
    for named in (CallFilter(since=date(2026, 1, 1)), CallFilter(until=date(2026, 1, 1)), CallFilter(run="a")):
        assert recent(named, now=LAST) == named
