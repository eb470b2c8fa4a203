"""Arguments that no fan-out can use: refused before anything is scheduled."""

from collections.abc import Iterable

import pytest

from llmflow.errors import InputInvalid
from llmflow.flow import fan_out, map_reduce, race


async def twice(number: int) -> int:
    return number * 2


async def total(numbers: list[int]) -> int:
    return sum(numbers)


@pytest.mark.parametrize(
    ("items", "options", "says"),
    [
        ({1, 2}, {}, r"give sorted\(items\)"),
        ([1], {"limit": 0}, "limit=0: give 1 or more"),
        ([1], {"on_error": "ignore"}, "on_error='ignore': give `raise` or `collect`"),
        ([1], {"min_success": 1}, 'it needs on_error="collect"'),
        ([1], {"min_success": 1.5, "on_error": "collect"}, "min_success=1.5: give a number of items, or a share"),
        ([1], {"min_success": -1, "on_error": "collect"}, "min_success=-1"),
        ([1], {"min_success": 2, "on_error": "collect"}, "min_success=2: there are 1 items"),
    ],
)
async def test_arguments_that_cannot_be_used(items: Iterable[int], options: dict[str, object], says: str) -> None:
    with pytest.raises(InputInvalid, match=says):
        await fan_out(items, twice, **options)  # type: ignore[arg-type]  options of several types


async def test_a_tree_needs_two_branches() -> None:
    with pytest.raises(InputInvalid, match="fan_in=1: give 2 or more"):
        await map_reduce([1], twice, total, fan_in=1)


async def test_a_typo_does_not_drop_failures_of_a_tree() -> None:
    with pytest.raises(InputInvalid, match="on_error='colect': give `raise` or `collect`"):
        await map_reduce([1], twice, total, on_error="colect")  # type: ignore[arg-type]  that is it


async def test_a_race_needs_a_branch() -> None:
    with pytest.raises(InputInvalid, match="race needs at least one branch"):
        await race()
