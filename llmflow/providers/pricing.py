"""What a call cost: said by the vendor, or computed from dated price lists. Never in workflow code, never twice."""

from datetime import datetime
from decimal import Decimal

import genai_prices
from genai_prices.types import PriceCalculation

from llmflow.types.models import ModelResponse
from llmflow.types.usage import Cost, Usage

_LIST = f"genai-prices {genai_prices.__version__}"
_STANDARD = frozenset({None, "", "auto", "default", "standard", "on_demand"})
"""Service tiers that are no tier."""


def price(model: str, response: ModelResponse, at: datetime) -> Cost:
    """The price of one answer at the time of its call. Never raises: what is not known is `None`, never 0.

    A vendor's own figure comes first. Otherwise the price list of the vendor at the address that answered, or of the
    vendor that the provider is named after: an `openai` behind a gateway of one's own costs what OpenAI costs.

    Args:
        model: `provider:model` that was asked.
        response: its usage, service tier and answering model decide.
        at: when; price lists are dated.
    """
    provider, _, asked = model.partition(":")
    if response.reported_usd is not None:
        return Cost(usd=response.reported_usd, source="vendor", tier=_tier(response))
    if provider == "offline":
        return Cost(usd=Decimal(0), source="offline: no model was asked")
    if not response.usage.input_tokens and not response.usage.output_tokens:
        return Cost(source="no price: the vendor reported no usage")
    try:
        found = _look_up(provider, asked, response, at)
    except LookupError:
        return Cost(source=f"no price: {_LIST} does not know {provider}:{response.model}")
    except Exception as error:  # counts that contradict each other, or a bug: a paid answer is not lost to its price
        return Cost(source=f"no price: {error}")
    tier = _tier(response)
    if tier and not _has_tier(found, tier, at):
        return Cost(source=f"no price: {_LIST} does not know tier {tier!r} of {found.model.id}", tier=tier)
    matched = found.model.id if found.model.id != response.model else None
    return Cost(usd=found.total_price.normalize(), source=_LIST, matched=matched, tier=tier)


def warm() -> None:
    """Load the price lists: about 0.1 s, which the first call would pay otherwise."""
    price(
        "openai:gpt-5.4",
        ModelResponse(text="", model="gpt-5.4", usage=Usage(input_tokens=1)),
        datetime.now().astimezone(),
    )


def _look_up(provider: str, asked: str, response: ModelResponse, at: datetime) -> PriceCalculation:
    """By the model that answered, else by the one asked, since gateways give models names of their own."""
    lists = [{"provider_api_url": response.base_url}, {"provider_id": provider}]
    for where in lists if response.base_url else lists[1:]:
        for name in dict.fromkeys((response.model, asked)):
            try:
                return genai_prices.calc_price(
                    _usage(response.usage), name, genai_request_timestamp=at, price_context=_context(response), **where
                )
            except LookupError:
                continue
    raise LookupError(provider)


def _usage(usage: Usage) -> genai_prices.Usage:
    return genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_reasoning_tokens=usage.reasoning_tokens,
        input_audio_tokens=usage.input_audio_tokens,
        output_audio_tokens=usage.output_audio_tokens,
    )


def _tier(response: ModelResponse) -> str | None:
    return None if response.service_tier in _STANDARD else response.service_tier


def _context(response: ModelResponse) -> dict[str, str]:
    """The keys are exact: a batch under `service_tier` would silently get the standard price, twice what it costs."""
    tier = _tier(response)
    return {} if tier is None else {"processing" if tier == "batch" else "service_tier": tier}


def _has_tier(found: PriceCalculation, tier: str, at: datetime) -> bool:
    """Whether the tier's own price was used: the library falls back to the standard one without a word."""
    key = "processing" if tier == "batch" else "service_tier"
    own = any(model is found.model for model in found.provider.models)  # not another vendor's, without its tiers
    return own and any(
        variant.when == {key: tier} and (variant.constraint is None or variant.constraint.active(at))
        for variant in found.model.price_variants or ()
    )
