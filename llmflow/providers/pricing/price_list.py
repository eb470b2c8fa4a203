"""prices.yaml: the user's own prices, in US dollars per million tokens. It wins over every other price list.

openai:gpt-6.1-sol:              # provider:model, as in models.yaml
  input: 1.25
  cached: 0.125                  # parts of the input and output with their own price
  output: 10
  above:                         # prices of the whole call if its input is longer, one or a list
    {tokens: 272000, input: 2.5, cached: 0.25, output: 15}
  fees: {web_searches: 0.01}     # US dollars each, for what is no token
  tiers:                         # prices of service tiers
    flex: {input: 0.625, cached: 0.0625, output: 5}
gateway:claude-*:                # every model with this prefix
  - {input: 3, output: 15}
  - {from: 2026-10-01, input: 2.5, output: 12}
azure:*: {discount: 15%}         # of the price in the public lists
local:*: {input: 0, output: 0}
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from llmflow.providers.dialects.usage.reader import STANDARD_TIERS
from llmflow.providers.pricing.billing import PARTS, PaidCall, TokenPrices, frozen
from llmflow.types.base import changed
from llmflow.types.refs import ModelRef
from llmflow.types.usage import Cost
from llmflow.yaml import Node, read_yaml

_PERCENT = re.compile(r"(\d{1,2}(?:\.\d+)?|100) ?%")


@dataclass(frozen=True, kw_only=True)
class _Steps:
    """Prices by the length of the input: those of the longest step that it passes count for the whole call."""

    base: TokenPrices
    above: tuple[tuple[int, TokenPrices], ...] = ()
    """Prices above a number of input tokens, the largest first."""

    def of(self, input_tokens: int) -> TokenPrices:
        return next((prices for tokens, prices in self.above if input_tokens > tokens), self.base)


@dataclass(frozen=True, kw_only=True)
class _Price:
    since: date | None
    standard: _Steps | None
    tiers: Mapping[str, _Steps]
    discount: Decimal | None
    """Percent off the public price, instead of prices."""


@dataclass(frozen=True, kw_only=True)
class PriceList:
    """The content of a prices.yaml."""

    source: str
    """`prices.yaml@` and 12 hex digits of the file's sha256."""
    models: Mapping[str, tuple[_Price, ...]]
    """Prices by `provider:model`, the newest first."""
    prefixes: tuple[tuple[str, tuple[_Price, ...]], ...]
    """Prices by the prefix before `*`, the longest first."""

    def cost(self, call: PaidCall, names: tuple[str, ...], public: Callable[[PaidCall], Cost]) -> Cost | None:
        """Look up the cost of a call; `None` if the list has no price for its model at that time.

        Args:
            call: The call.
            names: Names of its model, the best first.
            public: Looks up the cost in the public lists, for discounts.

        Raises:
            LookupError: the list has the model, but not its tier or a count, or the counts are incomplete; the text
                says which.
        """
        day = call.at.astimezone(UTC).date()
        for key, prices in self._entries(call, names):
            if price := next((price for price in prices if price.since is None or price.since <= day), None):
                if price.discount is not None:
                    return self._discounted(public(call), price.discount)
                steps = price.standard if call.tier is None else price.tiers.get(call.tier)
                if steps is None:
                    raise LookupError(f"{self.source} does not know tier {call.tier!r} of {key}")
                matched = key if key != str(ModelRef(call.provider, call.answered)) else None
                return call.cost(self._usd(steps, call, key), self.source, matched, price.since)
        return None

    def _usd(self, steps: _Steps, call: PaidCall, key: str) -> Decimal:
        try:
            return steps.of(call.usage.input_tokens).usd(call.usage)
        except LookupError as error:
            raise LookupError(f"{self.source} has no price of {key}: {error}") from None

    def _discounted(self, cost: Cost, percent: Decimal) -> Cost:
        if cost.usd is None:
            return cost
        source = f"{self.source}: {percent:f} % off {cost.source}"
        return changed(cost, usd=frozen(cost.usd * (100 - percent) / 100), source=source)

    def _entries(self, call: PaidCall, names: tuple[str, ...]) -> Iterator[tuple[str, tuple[_Price, ...]]]:
        """Find entries, the most specific first: whole names, then the longest prefix."""
        refs = [str(ModelRef(call.provider, name)) for name in names]
        for ref in refs:
            if ref in self.models:
                yield ref, self.models[ref]
        for prefix, prices in self.prefixes:
            if any(ref.startswith(prefix) for ref in refs):
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
    what = f"the price of {key}"
    parts = node.mapping(what, {*PARTS, "above", "discount", "fees", "from", "tiers"})
    since = _day(parts.pop("from")) if "from" in parts else None
    if "discount" in parts:
        if len(parts) > 1:
            raise node.error(f"{key} has prices and a `discount`, which is off the public ones: give one of them")
        return _Price(since=since, standard=None, tiers={}, discount=_percent(parts["discount"]))
    tiers = parts.pop("tiers").mapping("`tiers`") if "tiers" in parts else {}
    return _Price(
        since=since,
        standard=_steps(key, node, parts),
        tiers=MappingProxyType({name: _tier(f"tier {name!r} of {key}", name, tiers[name], parts) for name in tiers}),
        discount=None,
    )


def _tier(what: str, name: str, node: Node, standard: Mapping[str, Node]) -> _Steps:
    if name in STANDARD_TIERS:
        raise node.error(f"{what}: this is the standard tier; put its price beside `tiers`")
    parts = node.mapping(f"the price of {what}", {*PARTS, "above", "fees"})
    _complete(what, node, parts, standard, "the standard tier")
    if "fees" in standard:
        parts.setdefault("fees", standard["fees"])
    return _steps(what, node, parts)


def _steps(what: str, node: Node, parts: Mapping[str, Node]) -> _Steps:
    above: list[tuple[int, TokenPrices]] = []
    for step in parts["above"].sequence() if "above" in parts else ():
        longer = step.mapping(f"`above` of {what}", {*PARTS, "fees", "tokens"})
        tokens = _tokens(what, step, longer)
        _complete(f"`above` of {what}", step, longer, parts, "shorter inputs")
        if "fees" in parts:
            longer.setdefault("fees", parts["fees"])
        above.append((tokens, _token_prices(f"`above` of {what}", step, longer)))
    base = _token_prices(what, node, parts)
    return _Steps(base=base, above=tuple(sorted(above, key=lambda step: -step[0])))


def _tokens(what: str, step: Node, parts: Mapping[str, Node]) -> int:
    given = parts["tokens"].value if "tokens" in parts else None
    if not isinstance(given, int) or isinstance(given, bool) or given <= 0:
        raise step.error(f"`above` of {what} needs `tokens`: the number of input tokens above which it applies")
    return given


def _complete(what: str, node: Node, parts: Mapping[str, Node], others: Mapping[str, Node], where: str) -> None:
    for part in others:
        if part in PARTS and part not in parts:
            raise node.error(f"{what} has no `{part}`, which has its own price in {where}: add it")


def _token_prices(what: str, node: Node, parts: Mapping[str, Node]) -> TokenPrices:
    for part in ("input", "output"):
        if part not in parts:
            raise node.error(f"{what} has no `{part}`: give US dollars per million tokens, or 0 if it is free")
    fees = parts["fees"].mapping("`fees`") if "fees" in parts else {}
    return TokenPrices(
        **{part: _dollars(part, "US dollars per million tokens", parts[part]) for part in PARTS if part in parts},
        fees=MappingProxyType({name: _dollars(name, "US dollars each", fee) for name, fee in fees.items()}),
    )


def _dollars(part: str, unit: str, node: Node) -> Decimal:
    try:
        amount = Decimal(str(node.value))
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise node.error(f"`{part}` must be {unit}, such as 1.25, not {node.value!r}")
    return amount


def _percent(node: Node) -> Decimal:
    found = _PERCENT.fullmatch(str(node.value))
    if found is None:
        raise node.error(f"`discount` must be a share of the public price, such as 15%, not {node.value!r}")
    return Decimal(found[1])


def _day(node: Node) -> date:
    try:
        return date.fromisoformat(str(node.value))
    except ValueError:
        raise node.error(f"`from` must be a day such as 2026-10-01, not {node.value!r}") from None
