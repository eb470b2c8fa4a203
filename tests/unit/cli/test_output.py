"""Format of values."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from llmflow.cli.output import cost, dollars, duration, near, when
from llmflow.types.base import plain
from llmflow.types.refs import PromptRef
from llmflow.types.usage import COUNTS, Totals, Usage, UsageReport


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-0.5, "0 ms"),
        (0.34, "340 ms"),
        (2.14, "2.1 s"),
        (59.9, "59.9 s"),
        (80, "1 min 20 s"),
        (7500, "2 h 5 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text


NO_USAGE = {**dict.fromkeys(COUNTS, 0), "unread": {}}


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        ("0", "$0"),
        ("12.345", "$12.34"),
        ("0.5", "$0.50"),
        ("0.0421", "$0.042"),
        ("0.0000123456", "$0.000012"),
        ("1E+3", "$1000.00"),
    ],
)
def test_dollars(usd: str, text: str) -> None:
    assert dollars(Decimal(usd)) == text


def test_unknown_prices_are_not_free() -> None:
    assert cost(Totals(calls=2, usd=Decimal("0.5"))) == "$0.50"
    assert cost(Totals(calls=2, usd=Decimal("0.5"), unpriced_calls=1)) == "$0.50 + 1 call of unknown price"
    assert cost(Totals(calls=2, unpriced_calls=2)) == "2 calls of unknown price"


def test_json_has_every_field() -> None:
    """On the wire, a value equal to its default is left out; a program that reads stdout need not know that."""
    report = UsageReport(total=Totals(calls=1, usage=Usage(input_tokens=3), usd=Decimal("0.10")))

    total = plain({"report": report, "prompt": [PromptRef(name="a/b", version="1" * 12)]})

    assert total == {
        "report": {
            "total": {
                "calls": 1,
                "usage": NO_USAGE | {"input_tokens": 3},
                "usd": "0.10",
                "unpriced_calls": 0,
            },
            "by_model": {},
            "by_prompt": {},
            "taken": {"calls": 0, "usage": NO_USAGE, "usd": "0", "unpriced_calls": 0},
            "taken_by_prompt": {},
        },
        "prompt": [{"name": "a/b", "version": "1" * 12}],
    }


def test_moments_of_today_have_no_date() -> None:
    last, first = (datetime(2026, 12, 31, 23, 59, 59).astimezone(), datetime(2027, 1, 1).astimezone())
    assert [when(one.astimezone(UTC), one) for one in (last, first)] == ["23:59:59", "00:00:00"]
    assert (when(last, first), when(first, last)) == ("2026-12-31 23:59", "2027-01-01 00:00")
    assert when(datetime(2020, 2, 3, 12).astimezone()) == "2020-02-03 12:00"


def test_paths_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert near(tmp_path / "docs" / "a.md") == "docs/a.md"
    assert near("/elsewhere/a.md") == "/elsewhere/a.md"
