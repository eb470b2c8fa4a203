"""Costs of calls: reported by the vendor, or from dated price lists. Computed once, never in workflow code."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType

from llmflow.providers.dialects.usage.bills import MAX_USD
from llmflow.providers.dialects.usage.reader import STANDARD_TIERS
from llmflow.providers.pricing.billing import PaidCall, frozen
from llmflow.providers.pricing.bounds import Bound
from llmflow.providers.pricing.genai_list import SOURCE, context_window, genai_cost, is_known, newest_price
from llmflow.providers.pricing.litellm_map import installed_map, litellm_cost
from llmflow.providers.pricing.parts import parts_of
from llmflow.providers.pricing.price_list import PriceList
from llmflow.types.base import changed
from llmflow.types.models import Billed
from llmflow.types.refs import ModelRef
from llmflow.types.usage import VENDOR, Cost, CostParts, Usage

_AGREE = Decimal("0.01")
"""Relative difference of two lists' costs that is not mentioned: they round differently."""


class Prices:
    """All price lists in order: the user's own, genai-prices, the map of litellm if it is installed."""

    def __init__(
        self, own: PriceList | None = None, addresses: Mapping[str, str | None] = MappingProxyType({})
    ) -> None:
        """Take the user's list, and base URLs of providers by name, which only calls before their answer need."""
        self._own = own
        self._addresses = addresses
        self._most = lru_cache(maxsize=4096)(self._at_most)

    def price(self, model: str, billed: Billed, at: datetime) -> Cost:
        """Compute the cost of an answer. Never raises: an unknown cost is `None`, never 0. A vendor's figure wins.

        Args:
            model: Requested `provider:model`.
            billed: The answer; its usage, service tier and model determine the cost.
            at: Time of the call, with a time zone; price lists are dated.
        """
        if billed.reported_usd is not None and 0 <= billed.reported_usd <= MAX_USD:
            usd, tier = frozen(billed.reported_usd), _tier(billed)
            return Cost(usd=usd, source=VENDOR, tier=tier, region=billed.region)
        return self.look_up(self._paid(model, billed, at))

    def parts(self, model: str, billed: Billed, at: datetime, cost: Cost) -> CostParts:
        """Divide the cost of an answer, as `price` computed it; see there."""
        if cost.usd is None or cost.source == VENDOR:
            return CostParts()
        return parts_of(self._paid(model, billed, at), cost.usd, self._first)

    def expected(self, model: str, usage: Usage, at: datetime) -> Cost:
        """Estimate the cost of a call of `provider:model` with this usage; see `look_up`."""
        return self.look_up(self._planned(model, usage, at))

    def at_most(self, model: str, bound: Bound, at: datetime) -> Cost:
        """Compute the most that a call of `provider:model` can cost; see `look_up`.

        It is the dearest way in which the vendor can bill these tokens: the input written to its cache, the output
        reasoning or an image, in the requested tier or the standard one. Without a requested tier, some vendors use the
        one that the project is set to, such as `priority`.
        """
        # Lists are slow, so that counts are rounded up, by 1.6 % at most, and results are kept. Prices that change at
        # hours of the day do so at whole five minutes.
        rounded = replace(
            bound,
            input_tokens=_rounded_up(bound.input_tokens),
            output_tokens=_rounded_up(bound.output_tokens),
            unbounded=None,
        )
        return self._most(model, rounded, at.replace(minute=at.minute // 5 * 5, second=0, microsecond=0))

    def _at_most(self, model: str, bound: Bound, at: datetime) -> Cost:
        asked = None if bound.tier in STANDARD_TIERS else bound.tier
        standard, other = (self._dearest(model, bound, at, tier) for tier in (None, asked or "priority"))
        if asked and other.usd is None:
            return other
        is_left_to_the_vendor = bound.tier in {None, "", "auto"}
        both = (standard, other) if asked or is_left_to_the_vendor else (standard,)
        return standard if standard.usd is None else max(both, key=lambda cost: cost.usd or Decimal(0))

    def _dearest(self, model: str, bound: Bound, at: datetime, tier: str | None) -> Cost:
        """Add what the dearest kinds of token cost above the plain ones; a kind without a price adds nothing."""
        usage = Usage(input_tokens=bound.input_tokens, output_tokens=bound.output_tokens)
        plain = self._planned(model, usage, at, tier)
        if bound.unsized and (window := context_window(plain)):
            usage = changed(usage, input_tokens=window)
            plain = replace(plain, usage=usage)
        cost = self.look_up(plain)
        if cost.usd is None:
            return cost
        hour = usage.input_tokens if bound.cached_for_an_hour else 0
        kinds = (
            (
                changed(usage, cache_write_tokens=usage.input_tokens, cache_write_1h_tokens=hour),
                changed(usage, input_image_tokens=usage.input_tokens),
                changed(usage, input_audio_tokens=usage.input_tokens if bound.audio else 0),
            ),
            (
                changed(usage, reasoning_tokens=usage.output_tokens),
                changed(usage, output_image_tokens=usage.output_tokens),
            ),
        )
        most = cost.usd
        for of_one_side in kinds:
            costs = [self.look_up(replace(plain, usage=kind)).usd or Decimal(0) for kind in of_one_side]
            most += max(cost.usd, *costs) - cost.usd
        return changed(cost, usd=most)

    def _planned(self, model: str, usage: Usage, at: datetime, tier: str | None = None) -> PaidCall:
        ref = ModelRef.parse(model)
        address = self._addresses.get(ref.provider)
        return PaidCall(asked=model, answered=ref.model, usage=usage, at=at, tier=tier, base_url=address)

    def lists(self, today: date) -> tuple[str, ...]:
        """Return the names of the price lists in their order, with what is known of their age."""
        newest = newest_price(today)
        dated = f"{SOURCE} (newest price of {newest}, {(today - newest).days} days ago)"
        litellm, entries = installed_map()
        return (*((self._own.source,) if self._own else ()), dated, *((litellm,) if entries else ()))

    def _paid(self, model: str, billed: Billed, at: datetime) -> PaidCall:
        return PaidCall(
            asked=model,
            answered=billed.model,
            usage=billed.usage,
            at=at,
            tier=_tier(billed),
            base_url=billed.base_url,
            region=billed.region,
        )

    def _first(self, call: PaidCall) -> Decimal | None:
        """Look up a cost in the first list that has one, without a comparison of the lists, which takes as long."""
        try:
            own = self._own and self._own.cost(call, _own_names(call), _public)
        except LookupError:
            return None
        return own.usd if own else next((cost.usd for cost in _costs(call, [])), None)

    def look_up(self, call: PaidCall) -> Cost:
        """Look up the cost of a call in today's price lists only, such as for repricing.

        Never raises: an unknown cost is `None`, never 0, and `source` says why.
        """
        if call.provider == "offline":
            return Cost(usd=Decimal(0), source="offline: no model was asked")
        try:
            if self._own and (cost := self._own.cost(call, _own_names(call), _public)):
                return cost
        except LookupError as error:
            return _unknown(call, error)
        return _public(call)


def _tier(billed: Billed) -> str | None:
    return None if billed.service_tier in STANDARD_TIERS else billed.service_tier


def _rounded_up(tokens: int) -> int:
    """Round up to seven binary digits."""
    unit = 1 << max(0, tokens.bit_length() - 7)
    return -(-tokens // unit) * unit


def warm_prices() -> None:
    """Load the price lists, which takes about 0.2 s, before the first call needs them."""
    now = datetime.now().astimezone()
    Prices().look_up(PaidCall(asked="openai:gpt-5.4", answered="gpt-5.4", usage=Usage(input_tokens=1), at=now))


def _own_names(call: PaidCall) -> tuple[str, ...]:
    """Return the names by which the user's list may know a call: both, unless they are those of two known models."""
    another = call.asked_model not in call.names and is_known(call.answered) and is_known(call.asked_model)
    return call.names if another else tuple(dict.fromkeys((*call.names, call.asked_model)))


def _public(call: PaidCall) -> Cost:
    """Look up the cost of a call in the public lists. The first that has a price counts; a doubt is said."""
    if call.usage.unread:
        return _unknown(call, *(f"{name} = {count} is not understood" for name, count in call.usage.unread.items()))
    if not call.usage.input_tokens and not call.usage.output_tokens:
        return _unknown(call, "the vendor reported no usage")
    reasons: list[Exception | str] = []
    costs = [*_costs(call, reasons)]
    if not costs:
        return _unknown(call, *reasons)
    first, *others = costs
    doubts = (f"{other.source} says ${other.usd:f}" for other in others if not _agree(first, other))
    return changed(first, source="; ".join((first.source, *doubts)))


def _costs(call: PaidCall, reasons: list[Exception | str]) -> Iterator[Cost]:
    for list_cost in (genai_cost, litellm_cost):
        try:
            if cost := list_cost(call):
                yield cost
        except ValueError as error:  # another list could only guess
            reasons.append(error)
            return
        except Exception as error:  # no price, or a bug: a missing price must not lose a paid answer
            reasons.append(error)


def _agree(one: Cost, other: Cost) -> bool:
    return (
        one.usd is not None and other.usd is not None and abs(one.usd - other.usd) <= _AGREE * max(one.usd, other.usd)
    )


def _unknown(call: PaidCall, *reasons: Exception | str) -> Cost:
    return Cost(source=f"no price: {'; '.join(map(str, reasons))}", tier=call.tier, region=call.region)
