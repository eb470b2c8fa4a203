"""Lengths of time, for people."""

from datetime import timedelta

import pytest

from llmflow.types.lengths import length_of


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
