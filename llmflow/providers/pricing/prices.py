"""Costs of calls: reported by the vendor, or from dated price lists. Computed once, never in workflow code."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from llmflow.providers.dialects.usage import MAX_USD
from llmflow.providers.pricing.billing import PaidCall, frozen
from llmflow.providers.pricing.genai_list import genai_cost
from llmflow.providers.pricing.litellm_map import litellm_cost
from llmflow.providers.pricing.price_list import STANDARD_TIERS, PriceList
from llmflow.types.models import ModelResponse
from llmflow.types.refs import ModelRef
from llmflow.types.usage import VENDOR, Cost, Usage


class Prices:
    """All price lists in order: the user's own, genai-prices, litellm's map if it is loaded."""

    def __init__(
        self, own: PriceList | None = None, addresses: Mapping[str, str | None] = MappingProxyType({})
    ) -> None:
        """Take the user's list, and base URLs of providers by name, which only `expected` needs."""
        self._own = own
        self._addresses = addresses

    def price(self, model: str, response: ModelResponse, at: datetime) -> Cost:
        """Compute the cost of an answer. Never raises: an unknown cost is `None`, never 0. A vendor's figure wins.

        Args:
            model: Requested `provider:model`.
            response: The answer; its usage, service tier and model determine the cost.
            at: Time of the call, with a time zone; price lists are dated.
        """
        tier = None if response.service_tier in STANDARD_TIERS else response.service_tier
        if response.reported_usd is not None and 0 <= response.reported_usd <= MAX_USD:
            return Cost(usd=frozen(response.reported_usd), source=VENDOR, tier=tier)
        return self.look_up(
            PaidCall(
                asked=model,
                answered=response.model,
                usage=response.usage,
                at=at,
                tier=tier,
                base_url=response.base_url,
                cache_write_1h_tokens=response.cache_write_1h_tokens,
            )
        )

    def expected(self, model: str, usage: Usage, at: datetime) -> Cost:
        """Estimate the cost of a call of `provider:model` with this usage; see `look_up`."""
        ref = ModelRef.parse(model)
        address = self._addresses.get(ref.provider)
        return self.look_up(PaidCall(asked=model, answered=ref.model, usage=usage, at=at, base_url=address))

    def look_up(self, call: PaidCall) -> Cost:
        """Look up the cost of a call in today's price lists only, such as for repricing.

        Never raises: an unknown cost is `None`, never 0, and `source` says why.
        """
        if call.provider == "offline":
            return Cost(usd=Decimal(0), source="offline: no model was asked")
        try:
            if self._own and (cost := self._own.cost(call)):
                return cost
        except LookupError as error:
            return _unknown(call, error)
        if not call.usage.input_tokens and not call.usage.output_tokens:
            return _unknown(call, "the vendor reported no usage")
        reasons: list[Exception] = []
        for list_cost in (genai_cost, litellm_cost):
            try:
                if cost := list_cost(call):
                    return cost
            except Exception as error:  # no price, or a bug: a missing price must not lose a paid answer
                reasons.append(error)
        return _unknown(call, *reasons)


def warm_prices() -> None:
    """Load the price lists, which takes about 0.1 s, before the first call needs them."""
    now = datetime.now().astimezone()
    Prices().look_up(PaidCall(asked="openai:gpt-5.4", answered="gpt-5.4", usage=Usage(input_tokens=1), at=now))


def _unknown(call: PaidCall, *reasons: Exception | str) -> Cost:
    return Cost(source=f"no price: {'; '.join(map(str, reasons))}", tier=call.tier)
