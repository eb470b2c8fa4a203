"""litellm's price map, where litellm is loaded anyway: loading it takes 2 s and 150 MB, too much for a price."""

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
    """The price of a call by the map of the litellm that this process has loaded; `None` if it has loaded none.

    Raises:
        LookupError: the map has no price of it; the text says why.
    """
    # A module that another thread is still importing has no map yet.
    entries = cast(Mapping[str, Entry] | None, getattr(sys.modules.get("litellm"), "model_cost", None))
    return None if entries is None else map_cost(call, entries, _source())


def map_cost(call: PaidCall, entries: Mapping[str, Entry], source: str) -> Cost:
    """The price of a call by a map of litellm's form: US dollars per token, by model.

    Raises:
        LookupError: the map has no price of it; the text says why.
    """
    key = next(_matching(call, entries), None)
    if key is None:
        raise LookupError(f"{source} does not know {call.provider}:{call.answered}")
    if call.cache_write_1h_tokens:
        raise LookupError(
            f"{source} is not asked for the price of {key}: some of the call stays in its cache for an hour"
        )
    try:
        usd = _token_prices(entries[key], call.usage, call.tier).usd(call.usage)
    except LookupError as error:
        raise LookupError(f"{source} has no price of {key}: {error}") from None
    return call.cost(usd, source, key if key != call.answered else None)


def _matching(call: PaidCall, entries: Mapping[str, Entry]) -> Iterator[str]:
    """Only entries of the vendor that was asked: the same model costs something else elsewhere, or nothing at all."""
    for vendor, names in call.vendors:
        for name in names:
            if f"{vendor}/{name}" in entries:
                yield f"{vendor}/{name}"
            owner = str(entries.get(name, {}).get("litellm_provider"))
            if owner == vendor or owner.startswith((f"{vendor}_", f"{vendor}-")):  # bedrock: bedrock_converse
                yield name


def _token_prices(entry: Entry, usage: Usage, tier: str | None) -> TokenPrices:
    """What this call's tokens cost: of its tier, and of its length, where long inputs have a price of their own."""
    if any(entry.get(field) for field in _HOURS):
        raise LookupError("it changes with the hour or in steps, which only litellm itself can follow")
    suffix = _long(entry, usage) + {None: "", "batch": "_batches"}.get(tier, f"_{tier}")
    standard = {part: _million(entry.get(key)) for part, key in _KEYS.items()}
    own = {part: _million(entry.get(f"{key}{suffix}")) for part, key in _KEYS.items()}
    missing = [part for part in own if own[part] is None and _counts(part, standard, usage)]
    if missing:
        where = f"{_KEYS[missing[0]]}{suffix}"
        raise LookupError(f"tier {tier!r}: no `{where}`" if tier else f"no `{where}`")
    token_prices = TokenPrices(**{part: price for part, price in own.items() if price is not None})
    if not token_prices.input and not token_prices.output:
        raise LookupError("0 there may mean that nobody knows; if it is free, say so in prices.yaml")
    return token_prices


def _counts(part: str, standard: Mapping[str, Decimal | None], usage: Usage) -> bool:
    """Whether a part must have a price: a whole always, others if they are used and cost something else than it."""
    if part not in _COUNTS:
        return True
    whole = standard["output" if part in {"reasoning", "audio_output"} else "input"]
    return getattr(usage, _COUNTS[part]) > 0 and standard[part] not in {None, whole}


def _long(entry: Entry, usage: Usage) -> str:
    """`_above_200k_tokens` if the input is longer than that, and the entry has a price for it."""
    found = [match for key, price in entry.items() if price is not None and (match := _LONG.fullmatch(key))]
    passed = [match for match in found if usage.input_tokens > int(match[2]) * 1000]
    return max(passed, key=lambda match: int(match[2]))[1] if passed else ""


def _million(per_token: object) -> Decimal | None:
    """A float's shortest text is what its author wrote: 2.5e-07, not 2.49999999999999989e-07."""
    try:
        price = Decimal(str(per_token)).scaleb(6)
    except InvalidOperation:
        return None
    return price if price.is_finite() and price >= 0 else None


@cache
def _source() -> str:
    return f"litellm {version('litellm')}"  # 1 ms, so once
