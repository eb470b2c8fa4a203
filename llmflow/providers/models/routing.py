"""Order of an alias's candidates: by the file, by price, or by shares of the runs."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, TypeVar, get_args

from llmflow.types.models import Candidate, ModelOptions
from llmflow.types.usage import Usage

Policy = Literal["first", "cheapest", "weighted"]
POLICIES: Mapping[str, Policy] = MappingProxyType({policy: policy for policy in get_args(Policy)})

_Way = TypeVar("_Way")

PriceOf = Callable[[str], Decimal | None]
"""Price of `MIX` with `provider:model` today, in US dollars; `None` if it is unknown."""

MIX = Usage(input_tokens=3000, output_tokens=1000)
"""Usage whose price `cheapest` compares: three input tokens to one output token."""


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """One target of a route: a model or another alias."""

    to: "Candidate | Route"
    weight: int = 1
    """Share of the runs, relative to the other weights."""

    @property
    def name(self) -> str:
        """Name of the model or the alias."""
        return self.to.model if isinstance(self.to, Candidate) else self.to.name


def merged(alternatives: Iterable[Alternative]) -> tuple[Alternative, ...]:
    """Merge equal alternatives by adding their weights."""
    every = tuple(alternatives)
    return tuple(
        Alternative(to=way, weight=sum(one.weight for one in every if one.to == way))
        for way in _once(one.to for one in every)
    )


@dataclass(frozen=True, kw_only=True)
class Route:
    """An alias of models.yaml."""

    name: str
    policy: Policy = "first"
    alternatives: tuple[Alternative, ...]

    def __iter__(self) -> Iterator[Candidate]:
        """Iterate over all candidates, in the order of the file."""
        for one in self.alternatives:
            yield from (one.to,) if isinstance(one.to, Candidate) else one.to

    def candidates(self, unit: str, price: PriceOf) -> tuple[Candidate, ...]:
        """Return all candidates once, in the order in which they are tried.

        Args:
            unit: Key by which `weighted` is sticky: the same unit always gets the same order.
            price: Prices for `cheapest`.
        """
        ways = [_candidates(one, unit, price) for one in self.alternatives]
        if self.policy == "cheapest":
            ways.sort(key=lambda way: _or_infinite(price(way[0].model)))
        elif self.policy == "weighted":
            ways = [way for _, way in sorted(zip(self._lots(unit), ways, strict=True), key=lambda one: one[0])]
        return _once(candidate for way in ways for candidate in way)

    def given(self, options: ModelOptions, up_to: int | None) -> "Route":
        """Return this route with options and an input limit over those of its candidates."""
        return replace(
            self, alternatives=merged(replace(one, to=_given(one.to, options, up_to)) for one in self.alternatives)
        )

    def _lots(self, unit: str) -> Iterator[float]:
        """Draw lots by name, so that reordering the file moves no run; a repeated name also by its occurrence."""
        turns = Counter[str]()
        for one in self.alternatives:
            yield _lot(f"{self.name}/{unit}/{one.name}/{turns[one.name]}", one.weight)
            turns[one.name] += 1


def _given(to: Candidate | Route, options: ModelOptions, up_to: int | None) -> Candidate | Route:
    if isinstance(to, Route):
        return to.given(options, up_to)
    return Candidate(model=to.model, options=options.over(to.options), up_to=to.up_to if up_to is None else up_to)


def _candidates(one: Alternative, unit: str, price: PriceOf) -> tuple[Candidate, ...]:
    return (one.to,) if isinstance(one.to, Candidate) else one.to.candidates(unit, price)


def _once(ways: Iterable[_Way]) -> tuple[_Way, ...]:
    """Drop duplicates: a candidate that failed is not asked again. Compared, not hashed: `extra` has no hash."""
    kept: list[_Way] = []
    for way in ways:
        if way not in kept:
            kept.append(way)
    return tuple(kept)


def _or_infinite(usd: Decimal | None) -> Decimal:
    return Decimal("Infinity") if usd is None else usd


def _lot(drawn_for: str, weight: int) -> float:
    """Draw a lot; the smallest comes first, with odds by weight, and so on for the rest.

    Each alternative is drawn independently, so that a changed weight moves as few runs as possible.
    """
    drawn = int.from_bytes(hashlib.sha256(drawn_for.encode()).digest()[:6]) + 1
    return -math.log(drawn / (2**48 + 1)) / weight
