"""Durations and moments, as people write them."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from llmflow.cli.options import parse_budget, parse_duration, parse_moment


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30s", timedelta(seconds=30)),
        ("1.5m", timedelta(seconds=90)),
        ("2h", timedelta(hours=2)),
        ("3d", timedelta(days=3)),
    ],
)
def test_duration(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "5", "h", "-5m", "5 m", "5w", "five", "9999999999d"])
def test_no_duration(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "five", "-1", "NaN", "Infinity", "10000000"])
def test_no_budget(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="US dollars up to 9000000"):
        parse_budget(text)


def test_moment_before_now() -> None:
    now = datetime(2027, 1, 1, tzinfo=UTC)
    assert parse_moment("2h", now) == now - timedelta(hours=2)
    before = datetime.now(UTC)
    assert before <= parse_moment("0s") <= datetime.now(UTC)


def test_moment_by_date() -> None:
    assert parse_moment("2026-11-21T09:30+02:00") == datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
    assert parse_moment("2026-11-21") == datetime(2026, 11, 21).astimezone()


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01+23:59", "9999999d", "-2h"])
def test_no_moment(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="not a moment"):
        parse_moment(text)
