"""Lengths of time: said to people, and taken from them."""

from datetime import timedelta

import pytest

from llmflow.errors import InputInvalid
from llmflow.types.lengths import length_of, length_problem, read_length

CENTURY = timedelta(days=36_525)


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(days=3), "3 d"),
        (timedelta(minutes=90), "1 h 30 min"),
        (timedelta(days=1, seconds=90.5), "1 d 1 min 30.5 s"),
        (timedelta(milliseconds=20), "0.02 s"),
    ],
)
def test_a_length_leaves_out_what_is_none(length: timedelta, said: str) -> None:
    assert length_of(length) == said


@pytest.mark.parametrize("given", [3, 0.5, True, "3 d", None, timedelta(0), timedelta(seconds=-1), 2 * CENTURY])
def test_what_is_no_length_is_told_by_its_name(given: object) -> None:
    assert (length_problem("timeout", given) or "").startswith(f"timeout={given!s}: give a ".replace("3 d", "'3 d'"))


def test_a_length_has_no_problem() -> None:
    assert length_problem("timeout", timedelta(microseconds=1)) is None
    assert length_problem("timeout", CENTURY) is None


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30s", timedelta(seconds=30)),
        ("5m", timedelta(minutes=5)),
        ("1.5h", timedelta(minutes=90)),
        ("3d", timedelta(days=3)),
        ("0s", timedelta(0)),
    ],
)
def test_people_write_a_number_and_a_unit(text: str, length: timedelta) -> None:
    assert read_length(text) == length


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "5w", "5m30s", "1e3s", "9" * 20 + "d"])
def test_what_is_no_duration_is_said(text: str) -> None:
    with pytest.raises(InputInvalid, match=f"^'{text}' is "):
        read_length(text)
