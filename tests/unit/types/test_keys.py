"""One key for one effect: in an action, in its retries, and in its compensation."""

import pytest

from llmflow.types.keys import SharedKey


@pytest.mark.parametrize("path", [("trip", "book"), ("trip", "book", "undo"), ("trip", "book", "undo#3")])
@pytest.mark.parametrize(
    ("call", "suffix"),
    [
        ("book#1", ""),
        ("book#2", "#2"),
        ("their-own", "#their-own"),
        ("seats[3]/hold#1", "/seats[3]"),
        ("seats/inner/hold#12", "/seats/inner#12"),
    ],
)
def test_calls_in_the_same_place_have_the_same_key(path: tuple[str, ...], call: str, suffix: str) -> None:
    place = "/".join(path)
    assert SharedKey("the-key", path).of(f"{place}/{call}") == f"the-key{suffix}"


@pytest.mark.parametrize("activity_id", [None, "their-own", "trip/booking/x#2"])
def test_ids_that_are_not_ours_share_the_key_as_it_is(activity_id: str | None) -> None:
    assert SharedKey("the-key", ("trip", "book")).of(activity_id) == "the-key"


def test_outside_of_steps() -> None:
    assert SharedKey("the-key", ()).of("book#2") == "the-key#2"
