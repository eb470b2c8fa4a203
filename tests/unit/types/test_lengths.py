"""Lengths of time: said to people, and taken from them."""

from datetime import timedelta

import pytest

from llmflow.types.lengths import length_of, length_problem

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
