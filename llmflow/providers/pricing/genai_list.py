"""The dated prices of genai-prices, by the vendor's address or by the provider's name."""

from collections.abc import Iterator
from datetime import date, datetime
from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING

from llmflow.providers.pricing.billing import PaidCall
from llmflow.types.usage import Cost

if TYPE_CHECKING:
    import genai_prices
    from genai_prices.types import PriceCalculation

# The library is imported on use: it takes 30 ms, and most commands need no price.
SOURCE = f"genai-prices {version('genai-prices')}"

_ALIASES = MappingProxyType(
    {
        "bedrock": "aws",
        "gemini": "google",
        "moonshot": "moonshotai",
        "together_ai": "together",
        "vertex_ai": "google",
        "xai": "x-ai",
    }
)
"""litellm's names of vendors that the list names differently."""


def genai_cost(call: PaidCall) -> Cost:
    """Look up the cost of a call.

    Raises:
        LookupError: the list has no price; the text says why.
        ValueError: the counts contradict each other.
    """
    found = _look_up(call)
    known = found.model_price
    if not found.total_price and known.input_mtok is None and known.output_mtok is None:
        raise LookupError(f"{SOURCE} has no price of {found.model.id}")  # an entry without prices adds up to 0
    if call.cache_write_1h_tokens and known.cache_write_1h_mtok is None:  # else priced as a short cache
        raise LookupError(f"{SOURCE} has no price of {found.model.id} for one-hour cache writes")
    if call.tier and not _has_tier(found, call.tier, call.at):
        raise LookupError(f"{SOURCE} does not know tier {call.tier!r} of {found.model.id}")
    matched = found.model.id if found.model.id != call.answered else None
    return call.cost(found.total_price, SOURCE, matched, _since(found, call.at))


def _look_up(call: PaidCall) -> "PriceCalculation":
    import genai_prices

    for where, names in _lists(call):
        for name in names:
            try:
                found = genai_prices.calc_price(
                    _usage(call),
                    name,
                    genai_request_timestamp=call.at,
                    price_context=_context(call.tier),
                    **where,
                )
            except LookupError:
                continue
            # The library also takes names that only contain a vendor's: `mistral-local`, `not-openai`.
            if where.get("provider_id", found.provider.id) == found.provider.id:
                return found
    raise LookupError(f"{SOURCE} does not know {call.provider}:{call.answered}")


def _lists(call: PaidCall) -> Iterator[tuple[dict[str, str], tuple[str, ...]]]:
    """Yield lookups, by address first: an `openai` behind a gateway costs the same, unless the address is known."""
    if call.base_url:
        yield {"provider_api_url": call.base_url}, call.names
    for vendor, names in call.vendors:
        yield {"provider_id": _ALIASES.get(vendor, vendor)}, names


def _usage(call: PaidCall) -> "genai_prices.Usage":
    import genai_prices

    usage = call.usage
    return genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cache_write_1h_tokens=call.cache_write_1h_tokens,
        output_reasoning_tokens=usage.reasoning_tokens,
        input_audio_tokens=usage.input_audio_tokens,
        output_audio_tokens=usage.output_audio_tokens,
    )


def _context(tier: str | None) -> dict[str, str]:
    """Make the price context. The key matters: a batch under `service_tier` would silently get twice its price."""
    return {} if tier is None else {"processing" if tier == "batch" else "service_tier": tier}


def _has_tier(found: "PriceCalculation", tier: str, at: datetime) -> bool:
    """Return True if the tier's own price was used: the library silently falls back to the standard one."""
    own = any(model is found.model for model in found.provider.models)  # not another vendor's entry, without its tiers
    return own and any(
        variant.when == _context(tier) and (variant.constraint is None or variant.constraint.active(at))
        for variant in found.model.price_variants or ()
    )


def _since(found: "PriceCalculation", at: datetime) -> date | None:
    """Return the first day of the price, if the list has it; the library uses the last active price."""
    from genai_prices.types import ModelPrice, StartDateConstraint

    dated = () if isinstance(found.model.prices, ModelPrice) else reversed(found.model.prices)
    for price in dated:
        if price.constraint is None or price.constraint.active(at):
            return price.constraint.start_date if isinstance(price.constraint, StartDateConstraint) else None
    return None
