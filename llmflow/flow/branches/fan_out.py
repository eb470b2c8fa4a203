"""Fan-out and fan-in: one function for many items concurrently."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Generic, TypeVar, cast

from llmflow.errors import ErrorDetail, FanOutFailed, InputInvalid
from llmflow.flow.arguments import one_of
from llmflow.flow.branches.batches import BATCH_ITEMS, run_batches
from llmflow.flow.branches.branches import Outcome, run_items
from llmflow.flow.branches.differences import differences
from llmflow.flow.failures import described
from llmflow.flow.functions import address_of, is_method, name_of
from llmflow.flow.run import current
from llmflow.flow.steps import step
from llmflow.types.addresses import branched
from llmflow.types.batches import OnError

T = TypeVar("T")
R = TypeVar("R")

MAX_UNNAMED = 2_000
"""Upper limit of items of a function that children cannot find: with five calls each, they fill a history."""
FIRST_FAILURES = 10
"""Failures listed in an error."""


@dataclass(frozen=True, kw_only=True)
class FanOut(Generic[R]):
    """The outcomes of a fan-out."""

    outcomes: tuple[Outcome[R], ...]
    """One outcome for each item, in the order of the items."""

    @property
    def values(self) -> list[R]:
        """Results of the items that succeeded, in the order of the items."""
        return [cast(R, one.value) for one in self.outcomes if one.ok]

    @property
    def failures(self) -> list[Outcome[R]]:
        """Outcomes of the items that failed, in the order of the items. Empty unless `on_error="collect"`."""
        return [one for one in self.outcomes if not one.ok]


async def fan_out(
    items: Iterable[T],
    function: Callable[[T], Awaitable[R]],
    *,
    limit: int = 50,
    on_error: OnError = "raise",
    min_success: int | float | None = None,
) -> FanOut[R]:
    """Call a function with each item concurrently: `found = await flow.fan_out(queries, self.investigate, limit=8)`.

    It is a step of the function's name, with its progress; the calls of item 3 have ids such as
    `investigate[3]/complete#1`. When it returns, raises or is cancelled, all its calls have ended.

    More than 500 items are processed by children of this run, in batches. There a method is called on a new object of
    the workflow's class, made from the same input. It is refused, before anything is scheduled, if an attribute of
    `self` differs from what `__init__` sets; and the run fails after the first batch if the method sets one.

    Args:
        items: A list or another ordered iterable; not a set.
        function: An async function of one item. Above 500 items it should be a method of the workflow or a function of
            a module, with annotations; up to 2,000 it may be any callable.
        limit: Upper limit of concurrent items, in all children together.
        on_error: `raise`: the first failure cancels the other items and is raised itself when they have ended.
            `collect`: failures are data; see `FanOut.failures`.
        min_success: With `collect`, the items that must succeed: a number, or a share from 0.0 to 1.0. So 1 is one
            item, and 1.0 is all of them.

    Raises:
        FanOutFailed: `min_success` cannot be reached; the other items were cancelled.
        InputInvalid: an argument is invalid; or a method finds other attributes in the children, or sets one there.
        Exception: the first error of the function, with `on_error="raise"`.
    """
    one_of("on_error", on_error, OnError)
    given = _listed(items)
    if limit < 1:
        raise InputInvalid(f"limit={limit}: give 1 or more", ErrorDetail(field="limit"))
    name, tally = name_of(function), _Tally[R](name_of(function), len(given), on_error, min_success)
    address = None
    if len(given) > BATCH_ITEMS:
        await current().begun()  # a handler may call it before there is a workflow object
        address = address_of(function, current().object)
    if address is None and len(given) > MAX_UNNAMED:
        raise InputInvalid(
            f"fan_out of {len(given):,} items: more than {MAX_UNNAMED:,} go to child workflows, which cannot find"
            f" `{name}`; give a method of the workflow or a function of a module",
            ErrorDetail(field="function"),
        )
    if address is not None and is_method(address):
        await _require_fresh(name, len(given))
    async with step(name, total=len(given)) as opened:

        def ended(outcome: Outcome[R]) -> None:
            tally.add(outcome)
            opened.advance(failed=int(not outcome.ok))

        if address is None:
            await run_items(given, function, first=0, limit=limit, ended=ended)
        else:
            await run_batches(given, function, address, limit=limit, on_error=on_error, ended=ended)
    return FanOut(outcomes=tuple(tally.outcomes[index] for index in range(len(given))))


async def _require_fresh(method: str, count: int) -> None:
    """Refuse a method if this run's workflow object differs from a new one, on which children would call it."""
    run = current()
    fresh = (await run.begun()).fresh()
    if not (different := differences(run.object, fresh)):
        return
    changed = ", ".join(f"`self.{name}`" for name in different)
    here = f", or give `lambda item: self.{method}(item)`, which this run calls itself" if count <= MAX_UNNAMED else ""
    raise InputInvalid(
        f"fan_out of {count:,} items: children call `{method}` on a new {type(fresh).__name__}, made from the same"
        f" input, where {changed} would differ, because it was set or changed after `__init__`. Put the values that"
        f" `{method}` needs into each item, or make `{method}` a function of the module that gets them with each"
        f" item{here}",
        ErrorDetail(field="function"),
    )


def _listed(items: Iterable[T]) -> Sequence[T]:
    if isinstance(items, set | frozenset):
        raise InputInvalid(
            "items is a set, whose order differs on replay: give sorted(items)",
            ErrorDetail(field="items"),
        )
    return tuple(items)


class _Tally(Generic[R]):
    """Collects outcomes, and raises if too many items failed."""

    def __init__(self, name: str, count: int, on_error: OnError, min_success: int | float | None) -> None:
        self.outcomes: dict[int, Outcome[R]] = {}
        self._name, self._count, self._on_error = name, count, on_error
        self._needed = _needed(count, on_error, min_success)
        self._failures: list[Outcome[R]] = []

    def add(self, outcome: Outcome[R]) -> None:
        self.outcomes[outcome.index] = outcome
        if outcome.error is None:
            return
        if self._on_error == "raise":
            raise outcome.error
        self._failures.append(outcome)
        self._require_enough()

    def _require_enough(self) -> None:
        failed = len(self._failures)
        if not failed or self._count - failed >= self._needed:
            return
        told = tuple(
            f"{branched(self._name, one.index)}: {described(one.error)}"
            for one in self._failures[:FIRST_FAILURES]
            if one.error
        )
        raise FanOutFailed(
            f"{failed:,} of {self._count:,} items failed, but {self._needed:,} must succeed; {told[0]}",
            ErrorDetail(failures=told),
        ) from self._failures[0].error


def _needed(count: int, on_error: OnError, min_success: int | float | None) -> int:
    """Convert `min_success` to a number of items."""
    if min_success is None:
        return 0
    is_share = isinstance(min_success, float)
    if min_success < 0 or (is_share and min_success > 1):
        problem = "give a number of items, or a share from 0.0 to 1.0"
    elif not is_share and min_success > count:
        problem = f"there are {count:,} items; write a share with a decimal point, such as 0.5"
    elif on_error == "raise":
        problem = 'it needs on_error="collect"; otherwise every item must succeed'
    else:
        # Rounded first, because 0.7 of 10 is a little more than 7.
        return ceil(round(min_success * count, 6)) if is_share else int(min_success)
    raise InputInvalid(f"min_success={min_success}: {problem}", ErrorDetail(field="min_success"))


async def map_reduce(
    items: Iterable[T],
    map: Callable[[T], Awaitable[R]],
    reduce: Callable[[list[R]], Awaitable[R]],
    *,
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
        reduce: Reduces a list of 2 to `fan_in` results to one. Each level is a step of its name.
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
    mapped = await fan_out(items, map, limit=limit, on_error=on_error, min_success=min_success)
    results = mapped.values
    if not results:
        told = tuple(
            f"{branched(name_of(map), one.index)}: {described(one.error)}" for one in mapped.failures if one.error
        )
        raise FanOutFailed(
            "; ".join((f"nothing to reduce: none of {len(mapped.outcomes)} items succeeded", *told[:1])),
            ErrorDetail(failures=told[:FIRST_FAILURES]),
        )
    while len(results) > 1:
        groups = _groups(results, fan_in)
        reduced = iter((await fan_out([one for one in groups if len(one) > 1], reduce, limit=limit)).values)
        results = [one[0] if len(one) == 1 else next(reduced) for one in groups]
    return results[0]


def _groups(results: list[R], most: int) -> list[list[R]]:
    """Split into as few and as equal groups as possible, in order: 21 by 20 are 11 and 10, not 20 and 1."""
    count = ceil(len(results) / most)
    return [results[len(results) * n // count : len(results) * (n + 1) // count] for n in range(count)]
