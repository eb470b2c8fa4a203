"""litellm's price map, from the file of the installed package: to import it takes 2 s and 150 MB, the file 40 ms."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from llmflow.providers.pricing.billing import PaidCall, TokenPrices, counted
from llmflow.providers.pricing.regions import uplift
from llmflow.types.usage import Cost, Usage

Entry = Mapping[str, Any]  # Any: numbers, texts and lists, as litellm's users wrote them

_KEYS = MappingProxyType(
    {
        "input": "input_cost_per_token",
        "output": "output_cost_per_token",
        "cached": "cache_read_input_token_cost",
        "cache_write": "cache_creation_input_token_cost",
        "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
        "audio_input": "input_cost_per_audio_token",
        "image_input": "input_cost_per_image_token",
        "reasoning": "output_cost_per_reasoning_token",
        "audio_output": "output_cost_per_audio_token",
        "image_output": "output_cost_per_image_token",
    }
)
_COUNTS = MappingProxyType(
    {
        "cached": "cache_read_tokens",
        "cache_write": "cache_write_tokens",
        "cache_write_1h": "cache_write_1h_tokens",
        "audio_input": "input_audio_tokens",
        "image_input": "input_image_tokens",
        "reasoning": "reasoning_tokens",
        "audio_output": "output_audio_tokens",
        "image_output": "output_image_tokens",
    }
)
_OWN_PRICE = frozenset({"cached", "cache_write_1h", "audio_output", "image_output"})
"""Parts that always have a price of their own, which the map may lack."""
_LONG = re.compile(r"input_cost_per_token(_above_(\d+)k_tokens)")
_HOURS = ("off_peak_pricing", "tiered_pricing")
_REQUESTS = ("input_cost_per_request", "input_cost_per_query")
_FILE = "model_prices_and_context_window_backup.json"


def litellm_cost(call: PaidCall) -> Cost | None:
    """Look up the cost of a call in the map of the installed litellm; `None` if it is not installed.

    Raises:
        LookupError: the map has no price; the text says why.
    """
    source, entries = installed_map()
    return map_cost(call, entries, source) if entries else None


@cache
def installed_map() -> tuple[str, Mapping[str, Entry]]:
    """Return the name and version of the installed litellm, and its map; an empty one without litellm."""
    try:
        package = distribution("litellm")
        read = json.loads(Path(str(package.locate_file("litellm"))).joinpath(_FILE).read_text("utf-8"))
    except (PackageNotFoundError, OSError, ValueError):
        return "litellm", {}
    return f"litellm {package.version}", cast(Mapping[str, Entry], read)


def map_cost(call: PaidCall, entries: Mapping[str, Entry], source: str) -> Cost:
    """Look up the cost of a call in a map of litellm's format: US dollars per token, by model.

    Raises:
        LookupError: the map has no price; the text says why.
        ValueError: no list can have one, because of the region.
    """
    key = next(_matching(call, entries), None)
    if key is None:
        raise LookupError(f"{source} does not know {call.provider}:{call.answered}")
    try:
        if other := next(iter(counted(call.usage)), None):
            raise LookupError(f"the map is not used for {other}")
        usd = _token_prices(entries[key], call.usage, call.tier).usd(call.usage)
        usd *= uplift(call, str(entries[key].get("litellm_provider")), key)
    except LookupError as error:
        raise LookupError(f"{source} has no price of {key}: {error}") from None
    return call.cost(usd, source, key if key != call.answered else None)


def _matching(call: PaidCall, entries: Mapping[str, Entry]) -> Iterator[str]:
    """Find entries of the requested vendor only: the model's price differs elsewhere."""
    for vendor, given in call.vendors:
        for name in (*given, *map(_tuned, given)):
            if f"{vendor}/{name}" in entries:
                yield f"{vendor}/{name}"
            owner = str(entries.get(name, {}).get("litellm_provider"))
            if owner == vendor or owner.startswith((f"{vendor}_", f"{vendor}-")):  # bedrock: bedrock_converse
                yield name


def _tuned(name: str) -> str:
    """Return the kind of a fine-tuned model: `ft:gpt-4o-2024-08-06` of `ft:gpt-4o-2024-08-06:acme::abc`."""
    return ":".join(name.split(":")[:2]) if name.startswith("ft:") else name


def _token_prices(entry: Entry, usage: Usage, tier: str | None) -> TokenPrices:
    """Read the token prices for the call's tier and for its length, if long inputs have their own price."""
    if any(entry.get(field) for field in _HOURS):
        raise LookupError("its price depends on the hour or on steps, which only litellm itself can compute")
    if any(entry.get(field) for field in _REQUESTS) or entry.get("litellm_provider") == "perplexity":
        raise LookupError("each request costs a fee, which depends on its searches")
    suffix = _long(entry, usage) + {None: "", "batch": "_batches"}.get(tier, f"_{tier}")
    standard = {part: _million(entry.get(key)) for part, key in _KEYS.items()}
    own = {part: _million(entry.get(f"{key}{suffix}")) for part, key in _KEYS.items()}
    missing = [part for part in own if own[part] is None and _counts(part, standard, usage)]
    if missing:
        where = f"{_KEYS[missing[0]]}{suffix}"
        raise LookupError(f"tier {tier!r}: no `{where}`" if tier else f"no `{where}`")
    given = {part: price for part, price in own.items() if price is not None}
    token_prices = TokenPrices(**given, fees={})
    if not token_prices.input and not token_prices.output:
        raise LookupError("0 there may mean unknown; if the model is free, add it to prices.yaml")
    return token_prices


def _counts(part: str, standard: Mapping[str, Decimal | None], usage: Usage) -> bool:
    """Return True if a part needs a price: a whole always, others if they are used at another price than it."""
    if part not in _COUNTS:
        return True
    if not getattr(usage, _COUNTS[part]):
        return False
    whole = standard["output" if part in {"reasoning", "audio_output", "image_output"} else "input"]
    return part in _OWN_PRICE or standard[part] not in {None, whole}


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
