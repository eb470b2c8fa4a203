"""prices.yaml: the user's own prices, in US dollars per million tokens. It wins over every other price list.

openai:gpt-6.1-sol:              # provider:model, as in models.yaml
  input: 1.25
  cached: 0.125                  # parts of the input and output with their own price
  output: 10
  tiers:                         # prices of service tiers
    flex: {input: 0.625, cached: 0.0625, output: 5}
gateway:claude-*:                # every model with this prefix
  - {input: 3, output: 15}
  - {from: 2026-10-01, input: 2.5, output: 12}
local:*: {input: 0, output: 0}
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from llmflow.providers.pricing.billing import PaidCall, TokenPrices
from llmflow.types.refs import ModelRef
from llmflow.types.usage import Cost
from llmflow.yaml import Node, read_yaml

STANDARD_TIERS = frozenset({None, "", "auto", "default", "standard", "on_demand"})
"""Vendors' names for the standard tier."""

_KINDS = tuple(field.name for field in fields(TokenPrices))


@dataclass(frozen=True, kw_only=True)
class _Price:
    token_prices: TokenPrices
    tiers: Mapping[str, TokenPrices]
    since: date | None


@dataclass(frozen=True, kw_only=True)
class PriceList:
    """The content of a prices.yaml."""

    source: str
    """`prices.yaml@` and 12 hex digits of the file's sha256."""
    models: Mapping[str, tuple[_Price, ...]]
    """Prices by `provider:model`, the newest first."""
    prefixes: tuple[tuple[str, tuple[_Price, ...]], ...]
    """Prices by the prefix before `*`, the longest first."""

    def cost(self, call: PaidCall) -> Cost | None:
        """Look up the cost of a call; `None` if the list has no price for its model at that time.

        Raises:
            LookupError: the list has the model, but not its tier, or the counts are incomplete; the text says which.
        """
        day = call.at.astimezone(UTC).date()
        for key, prices in self._entries(call):
            price = next((price for price in prices if price.since is None or price.since <= day), None)
            if price:
                token_prices = price.token_prices if call.tier is None else price.tiers.get(call.tier)
                if token_prices is None:
                    raise LookupError(f"{self.source} does not know tier {call.tier!r} of {key}")
                matched = key if key != str(ModelRef(call.provider, call.answered)) else None
                return call.cost(token_prices.usd(call.usage), self.source, matched, price.since)
        return None

    def _entries(self, call: PaidCall) -> Iterator[tuple[str, tuple[_Price, ...]]]:
        """Find entries, the most specific first: whole names, then the longest prefix."""
        names = [str(ModelRef(call.provider, name)) for name in call.names]
        for name in names:
            if name in self.models:
                yield name, self.models[name]
        for prefix, prices in self.prefixes:
            if any(name.startswith(prefix) for name in names):
                yield f"{prefix}*", prices


def load_price_list(path: Path) -> PriceList:
    """Read a prices.yaml.

    Raises:
        ConfigInvalid: the file is invalid; the message has `file:line:column`, the problem, and what is allowed.
    """
    entries = read_yaml(path, exact=True).mapping("prices.yaml")
    models = {_checked(key, node): _prices(key, node) for key, node in entries.items()}
    prefixes = [(key[:-1], prices) for key, prices in models.items() if key.endswith("*")]
    return PriceList(
        source=f"prices.yaml@{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}",
        models=MappingProxyType({key: prices for key, prices in models.items() if not key.endswith("*")}),
        prefixes=tuple(sorted(prefixes, key=lambda one: -len(one[0]))),
    )


def _checked(key: str, node: Node) -> str:
    ref = ModelRef.parse(key)
    if not ref.provider or not ref.model or "*" in key[:-1]:
        raise node.error(
            f"{key!r} names no model: write `provider:model`, such as openai:gpt-5.4, or `provider:gpt-5*` for every "
            "model with this prefix"
        )
    return key


def _prices(key: str, node: Node) -> tuple[_Price, ...]:
    items = node.sequence()
    if not items:
        raise node.error(f"{key} has no price: give `input` and `output`")
    prices = sorted((_price(key, item) for item in items), key=lambda price: price.since or date.min, reverse=True)
    for newer, older in pairwise(prices):
        if newer.since == older.since:
            when = f"`from: {newer.since}`" if newer.since else "without `from`"
            raise node.error(f"{key} has two prices {when}: give each the day from which it applies")
    return tuple(prices)


def _price(key: str, node: Node) -> _Price:
    parts = node.mapping(f"the price of {key}", {*_KINDS, "from", "tiers"})
    since = _day(parts.pop("from")) if "from" in parts else None
    tiers = parts.pop("tiers").mapping("`tiers`") if "tiers" in parts else {}
    return _Price(
        token_prices=_token_prices(key, node, parts),
        tiers=MappingProxyType({name: _tier(f"tier {name!r} of {key}", name, tiers[name], parts) for name in tiers}),
        since=since,
    )


def _tier(what: str, name: str, node: Node, standard: Mapping[str, Node]) -> TokenPrices:
    if name in STANDARD_TIERS:
        raise node.error(f"{what}: this is the standard tier; put its price beside `tiers`")
    parts = node.mapping(f"the price of {what}", _KINDS)
    for part in standard:
        if part not in parts:
            raise node.error(f"{what} has no `{part}`, which has its own price in the standard tier: add it")
    return _token_prices(what, node, parts)


def _token_prices(what: str, node: Node, parts: Mapping[str, Node]) -> TokenPrices:
    for part in ("input", "output"):
        if part not in parts:
            raise node.error(f"{what} has no `{part}`: give US dollars per million tokens, or 0 if it is free")
    return TokenPrices(**{part: _dollars(part, value) for part, value in parts.items()})


def _dollars(part: str, node: Node) -> Decimal:
    try:
        amount = Decimal(str(node.value))
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise node.error(f"`{part}` must be US dollars per million tokens, such as 1.25, not {node.value!r}")
    return amount


def _day(node: Node) -> date:
    try:
        return date.fromisoformat(str(node.value))
    except ValueError:
        raise node.error(f"`from` must be a day such as 2026-10-01, not {node.value!r}") from None
