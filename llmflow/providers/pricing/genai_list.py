"""The dated prices of genai-prices, by the vendor's address or by the provider's name."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from types import MappingProxyType
from typing import TYPE_CHECKING

from llmflow.providers.hosts import host_of
from llmflow.providers.pricing.billing import PaidCall
from llmflow.providers.pricing.regions import canonical, doubts, uplift
from llmflow.types.base import changed
from llmflow.types.model_names import is_suffix
from llmflow.types.usage import Cost, Usage

if TYPE_CHECKING:
    from genai_prices.types import MatchLogic, ModelInfo, ModelPrice, Provider

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

_UNITS = MappingProxyType(
    {
        "input_tokens": "input_tokens",
        "output_tokens": "output_tokens",
        "cache_read_tokens": "cache_read_tokens",
        "cache_write_tokens": "cache_write_tokens",
        "cache_write_1h_tokens": "cache_write_1h_tokens",
        "cache_read_audio_tokens": "cache_audio_read_tokens",
        "reasoning_tokens": "output_reasoning_tokens",
        "input_audio_tokens": "input_audio_tokens",
        "output_audio_tokens": "output_audio_tokens",
        "input_image_tokens": "input_image_tokens",
        "output_image_tokens": "output_image_tokens",
        "input_video_tokens": "input_video_tokens",
        "web_searches": "web_searches",
        "file_searches": "storage_searches",
    }
)
"""The list's names of our counts."""

_OWN_PRICE = MappingProxyType(
    {
        "cache_read_tokens": "cache_read_mtok",
        "cache_write_1h_tokens": "cache_write_1h_mtok",
        "output_audio_tokens": "output_audio_mtok",
        "output_image_tokens": "output_image_mtok",
        "web_searches": "web_searches_kcount",
        "file_searches": "storage_searches_kcount",
    }
)
"""Counts that always have a price of their own, which the list may lack. Other parts may cost as much as the whole."""
_FREE_WRITES = ("openai", "azure")
"""Vendors that charge nothing for cache writes, unless the list says so."""

_PATHS = ("google/", "models/")
"""Paths that Google's doors put in front of its own models."""
_V4_PEAKS, _V4_WEEKENDS = date(2026, 8, 17), date(2026, 8, 23)
"""Days since which DeepSeek has peaks in UTC mornings, and none at weekends of Beijing; the list knows no weekdays."""
_BEIJING = timedelta(hours=8)


def genai_cost(call: PaidCall) -> Cost:
    """Look up the cost of a call.

    Raises:
        LookupError: the list has no price; the text says why.
        ValueError: no list can have one: the counts contradict each other, or the call has something unseen.
    """
    provider, model, name = _find(call)
    at, peak = _at(provider, model, call.at)
    context = _context(provider, model, call.tier, at)
    known = model.get_prices(at, context)
    if known.input_mtok is None and known.output_mtok is None:  # an entry without prices adds up to 0
        raise LookupError(f"{SOURCE} has no price of {model.id}")
    usage = _billed(provider, model, call.usage)
    _check(provider, model, known, usage)
    factor = uplift(call, provider.id, model.id)
    tokens = whole = _usd(known, usage)
    if usage.web_searches or usage.file_searches:  # only then, because this is the slow part
        tokens = _usd(known, changed(usage, web_searches=0, file_searches=0))
    fees = whole - tokens
    if fees and factor != 1 and provider.id == "openai":
        raise ValueError(f"{SOURCE} does not know if searches cost more in the region")
    notes = [*doubts(call, provider.id, model.id)]
    if not _is_named(model.match, name):
        notes.append(f"{name} is priced as {model.id}")
    if peak:
        notes.append("peak hours; on a public holiday of China it is less")
    matched = model.id if model.id != call.answered else None
    source = "; ".join((SOURCE, *notes))
    return call.cost(tokens * factor + fees, source, matched, _since(model, at))


def context_window(call: PaidCall) -> int | None:
    """Return the most input tokens that the model takes; `None` if the list does not say."""
    try:
        return _find(call)[1].context_window
    except (LookupError, ValueError):  # the second: the model is known at another address
        return None


@lru_cache(maxsize=1024)
def is_known(name: str) -> bool:
    """Return True if a name, or its last part, is that of a model of any vendor in the list."""
    from genai_prices import data_snapshot

    providers = data_snapshot.get_snapshot().providers
    return any(_is_named(model.match, name.lower()) for provider in providers for model in provider.models)


def newest_price(today: date) -> date:
    """Return the day of the newest price in the list that is not of the future."""
    from genai_prices import data_snapshot
    from genai_prices.types import ModelPrice, StartDateConstraint

    models = (model for provider in data_snapshot.get_snapshot().providers for model in provider.models)
    prices = (price for model in models if not isinstance(model.prices, ModelPrice) for price in model.prices)
    days = (price.constraint.start_date for price in prices if isinstance(price.constraint, StartDateConstraint))
    return max(day for day in days if day <= today)


def _find(call: PaidCall) -> "tuple[Provider, ModelInfo, str]":
    from genai_prices import data_snapshot

    lists = data_snapshot.get_snapshot()
    for where, names in _lists(call):
        for name in (*names, *(name.rpartition("/")[2] for name in names if name.startswith(_PATHS))):
            try:
                provider, model = lists.find_provider_model(name, None, *where)
            except LookupError:
                continue
            # The library also takes names that only contain a vendor's: `mistral-local`, `not-openai`.
            if where[0] not in {None, provider.id}:
                continue
            if _is_elsewhere(call, provider):
                raise ValueError(f"{SOURCE} knows {provider.id} at another address than {call.base_url}")
            return provider, model, name.lower()
    raise LookupError(f"{SOURCE} does not know {call.provider}:{call.answered}")


def _lists(call: PaidCall) -> Iterator[tuple[tuple[str | None, str | None], tuple[str, ...]]]:
    """Yield lookups, by address first: an `openai` behind a gateway costs the same, unless the address is known."""
    if call.base_url:
        yield (None, canonical(call.base_url)), call.names
    for vendor, names in call.vendors:
        yield (_ALIASES.get(vendor, vendor), None), names


def _is_elsewhere(call: PaidCall, provider: "Provider") -> bool:
    """Return True for another address of the vendor than the list's: perhaps a region, with prices of its own."""
    if not call.base_url or re.search(provider.api_pattern, canonical(call.base_url)):
        return False
    host = host_of(call.base_url)
    domain = ".".join(provider.api_pattern.replace("\\", "").partition("://")[2].partition("/")[0].split(".")[-2:])
    return host.endswith(f".{domain}")


def _at(provider: "Provider", model: "ModelInfo", at: datetime) -> tuple[datetime, bool]:
    """Return the time by which the list has the right price, and True in peak hours, which it takes for every day's."""
    from genai_prices.types import ModelPrice, TimeOfDateConstraint

    hours = () if isinstance(model.prices, ModelPrice) else (price.constraint for price in model.prices)
    peaks = [hour for hour in hours if isinstance(hour, TimeOfDateConstraint)]
    if provider.id != "deepseek" or len(peaks) != 2 or not any(peak.active(at) for peak in peaks):
        return at, False
    day = (at.astimezone(UTC) + _BEIJING).date()
    if day < _V4_PEAKS or (day >= _V4_WEEKENDS and day.weekday() >= 5):
        return at.astimezone(UTC).replace(hour=12), False
    return at, True


def _context(provider: "Provider", model: "ModelInfo", tier: str | None, at: datetime) -> dict[str, str] | None:
    """Return the price context of a tier. Its key matters: the library silently falls back to the standard price.

    Raises:
        LookupError: the list has no price for the tier.
    """
    if tier is None:
        return None
    own = any(one is model for one in provider.models)  # not another vendor's entry, without its tiers
    for variant in (model.price_variants or ()) if own else ():
        if [*variant.when.values()] == [tier] and (variant.constraint is None or variant.constraint.active(at)):
            return variant.when
    raise LookupError(f"{SOURCE} does not know tier {tier!r} of {model.id}")


def _billed(provider: "Provider", model: "ModelInfo", usage: Usage) -> Usage:
    """Return the counts as they are billed: until Gemini 3, one price for all searches of a prompt."""
    if provider.id == "google" and model.id.startswith(("gemini-1", "gemini-2")) and usage.web_searches:
        return changed(usage, web_searches=1)
    return usage


def _check(provider: "Provider", model: "ModelInfo", known: "ModelPrice", usage: Usage) -> None:
    """Check that the list has a price for all that is counted.

    Raises:
        LookupError: it does not.
        ValueError: what is priced cannot be seen.
    """
    for count, price in _OWN_PRICE.items():
        if getattr(usage, count) and getattr(known, price) is None:
            raise LookupError(f"{SOURCE} has no price of {model.id} for {count}")
    if usage.cache_write_tokens and known.cache_write_mtok is None and provider.id not in _FREE_WRITES:
        raise LookupError(f"{SOURCE} has no price of {model.id} for cache_write_tokens")
    if known.requests_kcount is not None:
        raise ValueError(f"{SOURCE} does not know the fee of a request to {model.id}, which depends on its searches")


def _usd(known: "ModelPrice", usage: Usage) -> Decimal:
    import genai_prices

    counts = {theirs: getattr(usage, ours) for ours, theirs in _UNITS.items() if getattr(usage, ours)}
    both = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    return known.calc_price(genai_prices.Usage(**{**both, **counts}))["total_price"]


def _is_named(match: "MatchLogic", name: str) -> bool:
    """Return True if a rule of the list means this name, and does not only begin like it: a date may follow."""
    from genai_prices import types

    match match:
        case types.ClauseOr():
            return any(_is_named(one, name) for one in match.or_)
        case types.ClauseAnd():
            return all(one.is_match(name) for one in match.and_) and any(_is_named(one, name) for one in match.and_)
        case types.ClauseEquals():
            return match.equals.lower() == name
        case types.ClauseStartsWith():
            part = match.starts_with.lower()
        case types.ClauseEndsWith():
            part = match.ends_with.lower()
        case types.ClauseContains():
            part = match.contains.lower()
        case _:
            return r"\d" in match.regex and match.is_match(name)
    before, found, after = name.partition(part)
    return bool(found) and is_suffix(after) and (not before or before[-1] in "./:")


def _since(model: "ModelInfo", at: datetime) -> date | None:
    """Return the first day of the price, if the list has it; the library uses the last active price."""
    from genai_prices.types import ModelPrice, StartDateConstraint

    dated = () if isinstance(model.prices, ModelPrice) else reversed(model.prices)
    for price in dated:
        if price.constraint is None or price.constraint.active(at):
            return price.constraint.start_date if isinstance(price.constraint, StartDateConstraint) else None
    return None
