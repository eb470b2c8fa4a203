"""Parts of a cost: each is a difference of two look-ups, so that every price list's rules hold for them."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from llmflow.providers.pricing.billing import PaidCall
from llmflow.types.base import changed
from llmflow.types.usage import COUNTS, CostParts, Usage

_FEES = tuple(name for name in COUNTS if name.endswith("_searches"))
_CACHE = tuple(name for name in COUNTS if name.startswith("cache_"))
_OUTPUT = tuple(name for name in COUNTS if name.startswith("output_") or name == "reasoning_tokens")

LookUp = Callable[[PaidCall], Decimal | None]
"""Look up a cost in US dollars; `None` if no list has it."""


def parts_of(call: PaidCall, usd: Decimal, look_up: LookUp) -> CostParts:
    """Divide the cost of a call into its parts, and compare it with what the call would have cost otherwise."""
    usage = call.usage

    def otherwise(usage: Usage, tier: str | None = call.tier) -> Decimal | None:
        return usd if (usage, tier) == (call.usage, call.tier) else look_up(replace(call, usage=usage, tier=tier))

    tokens = otherwise(_without(usage, _FEES))
    # The output is left out, and not the input: prices depend on the length of the input.
    of_input = otherwise(_without(usage, (*_FEES, *_OUTPUT)))
    return CostParts(
        input_usd=of_input,
        output_usd=None if tokens is None or of_input is None else tokens - of_input,
        cache_saved_usd=_saved(otherwise(_without(usage, _CACHE)), usd),
        tier_saved_usd=_saved(otherwise(usage, None), usd),
    )


def _saved(otherwise: Decimal | None, usd: Decimal) -> Decimal | None:
    return None if otherwise is None else otherwise - usd


def _without(usage: Usage, counts: tuple[str, ...]) -> Usage:
    given = {name: 0 for name in counts if getattr(usage, name)}
    return changed(usage, **given) if given else usage
