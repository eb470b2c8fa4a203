"""litellm's price map, only if litellm is already loaded: loading it takes 2 s and 150 MB."""

import re
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.metadata import version
from types import MappingProxyType
from typing import Any, cast

from llmflow.providers.pricing.billing import PaidCall, TokenPrices
from llmflow.types.usage import Cost, Usage

Entry = Mapping[str, Any]  # Any: numbers, texts and lists, as litellm's users wrote them

_KEYS = MappingProxyType(
    {
        "input": "input_cost_per_token",
        "output": "output_cost_per_token",
        "cached": "cache_read_input_token_cost",
        "cache_write": "cache_creation_input_token_cost",
        "audio_input": "input_cost_per_audio_token",
        "reasoning": "output_cost_per_reasoning_token",
        "audio_output": "output_cost_per_audio_token",
    }
)
_COUNTS = MappingProxyType(
    {
        "cached": "cache_read_tokens",
        "cache_write": "cache_write_tokens",
        "audio_input": "input_audio_tokens",
        "reasoning": "reasoning_tokens",
        "audio_output": "output_audio_tokens",
    }
)
_LONG = re.compile(r"input_cost_per_token(_above_(\d+)k_tokens)")
_HOURS = ("off_peak_pricing", "tiered_pricing")


def litellm_cost(call: PaidCall) -> Cost | None:
    """Look up the cost of a call in the map of the loaded litellm; `None` if it is not loaded.

    Raises:
        LookupError: the map has no price; the text says why.
    """
    # While another thread imports the module, it has no map yet.
    entries = cast(Mapping[str, Entry] | None, getattr(sys.modules.get("litellm"), "model_cost", None))
    return None if entries is None else map_cost(call, entries, _source())


def map_cost(call: PaidCall, entries: Mapping[str, Entry], source: str) -> Cost:
    """Look up the cost of a call in a map of litellm's format: US dollars per token, by model.

    Raises:
        LookupError: the map has no price; the text says why.
    """
    key = next(_matching(call, entries), None)
    if key is None:
        raise LookupError(f"{source} does not know {call.provider}:{call.answered}")
    if call.cache_write_1h_tokens:
        raise LookupError(f"{source} is not used for {key}: the call has one-hour cache writes")
    try:
        usd = _token_prices(entries[key], call.usage, call.tier).usd(call.usage)
    except LookupError as error:
        raise LookupError(f"{source} has no price of {key}: {error}") from None
    return call.cost(usd, source, key if key != call.answered else None)


def _matching(call: PaidCall, entries: Mapping[str, Entry]) -> Iterator[str]:
    """Find entries of the requested vendor only: the model's price differs elsewhere."""
    for vendor, names in call.vendors:
        for name in names:
            if f"{vendor}/{name}" in entries:
                yield f"{vendor}/{name}"
            owner = str(entries.get(name, {}).get("litellm_provider"))
            if owner == vendor or owner.startswith((f"{vendor}_", f"{vendor}-")):  # bedrock: bedrock_converse
                yield name


def _token_prices(entry: Entry, usage: Usage, tier: str | None) -> TokenPrices:
    """Read the token prices for the call's tier and for its length, if long inputs have their own price."""
    if any(entry.get(field) for field in _HOURS):
        raise LookupError("its price depends on the hour or on steps, which only litellm itself can compute")
    suffix = _long(entry, usage) + {None: "", "batch": "_batches"}.get(tier, f"_{tier}")
    standard = {part: _million(entry.get(key)) for part, key in _KEYS.items()}
    own = {part: _million(entry.get(f"{key}{suffix}")) for part, key in _KEYS.items()}
    missing = [part for part in own if own[part] is None and _counts(part, standard, usage)]
    if missing:
        where = f"{_KEYS[missing[0]]}{suffix}"
        raise LookupError(f"tier {tier!r}: no `{where}`" if tier else f"no `{where}`")
    token_prices = TokenPrices(**{part: price for part, price in own.items() if price is not None})
    if not token_prices.input and not token_prices.output:
        raise LookupError("0 there may mean unknown; if the model is free, add it to prices.yaml")
    return token_prices


def _counts(part: str, standard: Mapping[str, Decimal | None], usage: Usage) -> bool:
    """Return True if a part needs a price: a whole always, others if they are used at another price than it."""
    if part not in _COUNTS:
        return True
    whole = standard["output" if part in {"reasoning", "audio_output"} else "input"]
    return getattr(usage, _COUNTS[part]) > 0 and standard[part] not in {None, whole}


def _long(entry: Entry, usage: Usage) -> str:
    """Return the suffix `_above_200k_tokens` if the entry has a price for such long inputs and this one is longer."""
    found = [match for key, price in entry.items() if price is not None and (match := _LONG.fullmatch(key))]
    passed = [match for match in found if usage.input_tokens > int(match[2]) * 1000]
    return max(passed, key=lambda match: int(match[2]))[1] if passed else ""


def _million(per_token: object) -> Decimal | None:
    """Convert to a price per million, by the float's shortest text: 2.5e-07, not 2.49999999999999989e-07."""
    try:
        price = Decimal(str(per_token)).scaleb(6)
    except InvalidOperation:
        return None
    return price if price.is_finite() and price >= 0 else None


@cache
def _source() -> str:
    return f"litellm {version('litellm')}"  # 1 ms, so once
