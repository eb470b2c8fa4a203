"""Built addresses parse to their parts: paths of steps, branches, batches, numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmflow.types.addresses import (
    around,
    base_of,
    batch_of,
    batched,
    branched,
    is_name,
    is_within,
    joined,
    names_of,
    number_of,
    numbered,
    prefixes,
    repeated,
    unbranched,
)

NAMES = st.text(min_size=1).filter(is_name)
PATHS = st.lists(NAMES, min_size=1, max_size=4)
NUMBERS = st.integers(min_value=1)


@given(PATHS)
def test_an_address_has_its_names(path: list[str]) -> None:
    assert names_of(joined(path)) == tuple(path)
    assert list(prefixes(path))[-1] == joined(path)
    assert [*around(joined(path)), joined(path)] == list(prefixes(path))
    assert all(is_within(joined(path), one) for one in prefixes(path))


@given(NAMES, NUMBERS)
def test_a_number_is_read_as_it_was_written(name: str, number: int) -> None:
    call, step = numbered(name, number), repeated(name, number)
    assert (base_of(call), number_of(call)) == (name, number)
    assert (base_of(step), number_of(step) or 1) == (name, number)
    assert is_within(call, name)


@given(NAMES, NUMBERS, st.integers(min_value=0))
def test_a_branch_is_one_of_its_step(name: str, number: int, index: int) -> None:
    step = repeated(name, number)
    assert unbranched(branched(step, index)) == step
    assert is_within(branched(step, index), step)


@given(PATHS, st.integers(min_value=0), st.integers(min_value=1))
def test_a_batch_has_its_items(path: list[str], first: int, count: int) -> None:
    items = range(first, first + count)
    assert batch_of(batched(path, items)) == (joined(path), items)


def test_the_grammar() -> None:
    assert (
        joined(("trip", repeated("book", 2), branched("seats", 3), numbered("hold", 1)))
        == "trip/book#2/seats[3]/hold#1"
    )
    assert batched(("trip", "notes"), range(500, 1000)) == "trip/notes[500-999]"
    assert list(around("a/b[2]/search#1")) == ["a", "a/b[2]"]


@pytest.mark.parametrize("name", ["", "a/b", "a#2", "/", "#"])
def test_no_names(name: str) -> None:
    assert not is_name(name)


@pytest.mark.parametrize("name", ["their-own", "a#", "a#x", "a#0", "a#01", "a#1\n", "a#1[2]", ""])
def test_what_has_no_number(name: str) -> None:
    assert number_of(name) is None
    assert base_of(name) == name


@pytest.mark.parametrize("address", ["a", "a[3]", "a[3-]", "a[-4]", "a[x-y]", "[1-2]", "a[1-2]/b#1", ""])
def test_what_is_no_batch(address: str) -> None:
    assert batch_of(address) is None


@pytest.mark.parametrize("address", ["a", "a[]", "a[x]", "a[1-2]", "a[1]/b#1", "a[1]\n", ""])
def test_what_is_no_branch(address: str) -> None:
    assert unbranched(address) == address


def test_an_empty_address_is_in_nothing() -> None:
    assert names_of("") == ()
    assert not list(around(""))


@pytest.mark.parametrize(("address", "part"), [("booking/x#1", "book"), ("b/a", "a"), ("a", "a/b"), ("", "a")])
def test_what_is_not_within(address: str, part: str) -> None:
    assert not is_within(address, part)
