"""Map and reduce: a fan-out whose results become one."""

import inspect
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterable, Sequence
from math import ceil
from typing import TypeVar, cast

from llmflow.errors import ErrorDetail, FanOutFailed, InputInvalid
from llmflow.flow.branches.branches import Outcome
from llmflow.flow.branches.fan_out import FanOut, fan_out
from llmflow.flow.branches.tally import failure
from llmflow.flow.functions import code_of, name_of
from llmflow.flow.tools import call
from llmflow.types.batches import OnError

T = TypeVar("T")
R = TypeVar("R")
Reduce = Callable[[list[R]], Awaitable[R]] | Callable[[list[R], list[Outcome[R]]], Awaitable[R]]
"""Reduces results to one; with a second parameter, it also gets the failures among the items of these results."""


async def map_reduce(
    items: Iterable[T],
    map: Callable[[T], Awaitable[R]],
    reduce: Reduce[R],
    *,
    label: Callable[[T], str] | None = None,
    limit: int = 50,
    on_error: OnError = "raise",
    min_success: int | float | None = None,
    fan_in: int = 20,
) -> R:
    """Call `map` with each item, then `reduce` with lists of the results, repeatedly until one result is left.

    `reduce` gets results of `map` or its own, in the order of the items; a single result needs none.

    Args:
        items: As in `fan_out`.
        map: As `function` in `fan_out`.
        reduce: Reduces a list of 2 to `fan_in` results to one. Each level is a step of its name. With a second
            parameter, it also gets the outcomes of the items that failed among those of its results, each item once;
            then a single result with failures is reduced, too.
        label: As in `fan_out`, for `map`.
        limit: As in `fan_out`, for both functions.
        on_error: As in `fan_out`, for `map`; a failure of `reduce` is raised.
        min_success: As in `fan_out`, for `map`.
        fan_in: Upper limit of results in one call of `reduce`.

    Raises:
        FanOutFailed: see `fan_out`; or no item succeeded.
        InputInvalid: see `fan_out`.
        Exception: an error of one of the functions.
    """
    if fan_in < 2:
        raise InputInvalid(f"fan_in={fan_in}: give 2 or more", ErrorDetail(field="fan_in"))
    mapped = await fan_out(items, map, label=label, limit=limit, on_error=on_error, min_success=min_success)
    if not (good := [one for one in mapped.outcomes if one.ok]):
        raise _nothing(name_of(map), mapped)
    groups = _groups(good, fan_in)
    results = await _reduced(
        [[cast(R, one.value) for one in group] for group in groups], _failed(groups, mapped.failures), reduce, limit
    )
    while len(results) > 1:
        values = _groups(results, fan_in)
        results = await _reduced(values, [[] for _ in values], reduce, limit)
    return results[0]


def _nothing(name: str, mapped: FanOut[R]) -> FanOutFailed:
    if not mapped.failures:
        return FanOutFailed("nothing to reduce: there are no items")
    return failure(name, mapped.failures, f"of {len(mapped.outcomes):,} items", "so there is nothing to reduce")


def _failed(groups: Sequence[Sequence[Outcome[R]]], failures: Iterable[Outcome[R]]) -> list[list[Outcome[R]]]:
    """Give each failure to the group of the results before it, or else to the first one."""
    found: list[list[Outcome[R]]] = [[] for _ in groups]
    starts = [group[0].index for group in groups]
    for one in failures:
        found[max(bisect_right(starts, one.index) - 1, 0)].append(one)
    return found


async def _reduced(
    groups: Sequence[list[R]], failures: Sequence[list[Outcome[R]]], reduce: Reduce[R], limit: int
) -> list[R]:
    """Reduce each group to one result. A group of one result is left as it is, unless failures are to be told."""
    takes_failures = len(inspect.signature(code_of(reduce)).parameters) > 1
    work = [len(group) > 1 or (takes_failures and bool(failed)) for group, failed in zip(groups, failures, strict=True)]
    if not any(work):
        return [group[0] for group in groups]
    if takes_failures:
        found = await fan_out(
            [pair for pair, works in zip(zip(groups, failures, strict=True), work, strict=True) if works],
            _with_failures(cast(Callable[[list[R], list[Outcome[R]]], Awaitable[R]], reduce)),
            limit=limit,
        )
    else:
        some = [group for group, works in zip(groups, work, strict=True) if works]
        found = await fan_out(some, cast(Callable[[list[R]], Awaitable[R]], reduce), limit=limit)
    reduced = iter(found.values)
    return [next(reduced) if works else group[0] for group, works in zip(groups, work, strict=True)]


def _with_failures(
    reduce: Callable[[list[R], list[Outcome[R]]], Awaitable[R]],
) -> Callable[[tuple[list[R], list[Outcome[R]]]], Awaitable[R]]:
    """Wrap a function of two parameters into one of an item, under the same name."""

    async def of_pair(pair: tuple[list[R], list[Outcome[R]]]) -> R:
        return await call(reduce, *pair)

    of_pair.__name__ = name_of(reduce)
    return of_pair


def _groups(results: list[T], most: int) -> list[list[T]]:
    """Split into as few and as equal groups as possible, in order: 21 by 20 are 11 and 10, not 20 and 1."""
    count = ceil(len(results) / most)
    return [results[len(results) * n // count : len(results) * (n + 1) // count] for n in range(count)]
