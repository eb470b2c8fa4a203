"""Fan-out and fan-in: one function for many items concurrently."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.flow.arguments import one_of
from llmflow.flow.branches.batches import BATCH_ITEMS, run_batches
from llmflow.flow.branches.branches import Outcome, run_items
from llmflow.flow.branches.differences import differences
from llmflow.flow.branches.tally import Tally, count
from llmflow.flow.functions import address_of, is_method, name_of
from llmflow.flow.run import current
from llmflow.flow.steps import step
from llmflow.types.batches import OnError
from llmflow.types.texts import one_line

T = TypeVar("T")
R = TypeVar("R")

MAX_UNNAMED = 2_000
"""Upper limit of items of a function that children cannot find: with five calls each, they fill a history."""
MAX_LABEL = 80
"""Characters of a label."""


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
    label: Callable[[T], str] | None = None,
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
        label: Returns the name of an item for people, such as `lambda claim: claim.number`. It is in the summaries of
            the item's activities, in its steps, in the ledger, and in errors; its first 80 characters are used.
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
    name, tally = name_of(function), Tally[R](name_of(function), len(given), on_error, min_success)
    labels = [one_line(str(label(item)))[:MAX_LABEL] for item in given] if label else None
    address = await _address_for_batches(function, len(given)) if len(given) > BATCH_ITEMS else None
    async with step(name, total=len(given)) as opened:

        def ended(outcome: Outcome[R]) -> None:
            count(opened, outcome)
            tally.add(outcome)

        if address is None:
            await run_items(given, function, first=0, limit=limit, labels=labels, ended=ended)
        else:
            await run_batches(given, function, address, limit=limit, labels=labels, on_error=on_error, ended=ended)
    return FanOut(outcomes=tuple(tally.outcomes[index] for index in range(len(given))))


async def _address_for_batches(function: Callable[[T], Awaitable[R]], count: int) -> str | None:
    """Return the address at which children find the function; `None` if the run calls it itself."""
    await current().begun()  # a handler may call it before there is a workflow object
    name, address = name_of(function), address_of(function, current().object)
    if address is None and count > MAX_UNNAMED:
        raise InputInvalid(
            f"fan_out of {count:,} items: more than {MAX_UNNAMED:,} go to child workflows, which cannot find"
            f" `{name}`; give a method of the workflow or a function of a module",
            ErrorDetail(field="function"),
        )
    if address is not None and is_method(address):
        await _require_fresh(name, count)
    return address


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
