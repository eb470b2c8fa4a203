"""Reads a vendor's usage by the tables of all dialects: a gateway may send the fields of any vendor.

Nothing is ignored in silence. A count above 0 that no table knows is kept as unread, by its name, so that the price is
unknown and says why. Counts that are no numbers are read as 0, and with one that cannot be true there is no usage: an
odd bill must not lose a paid answer.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

from llmflow.providers.dialects.usage import anthropic, google, hosts, openai
from llmflow.providers.dialects.usage.bills import FEE_ALONE, FIELDS, is_fee, reported_usd
from llmflow.providers.dialects.usage.roles import BESIDE, MINUTES, REST, TOTAL, Table
from llmflow.providers.hosts import host_of
from llmflow.types.base import changed
from llmflow.types.models import Billed, ModelOptions
from llmflow.types.texts import one_line
from llmflow.types.usage import COUNTS, Usage

MAX_TOKENS = 10**9
"""Tokens of one call that a vendor is believed."""
MAX_UNREAD = 20
"""Unread counts that are kept of one answer."""

STANDARD_TIERS = frozenset({None, "", "auto", "default", "standard", "standard_only", "on_demand"})
"""Vendors' names for the standard tier."""

_LONGEST = 100
"""Characters of the name of an unread count."""
_TABLE: Table = MappingProxyType(
    {
        **hosts.GROQ,
        **hosts.SAMBANOVA,
        **hosts.QWEN,
        **hosts.THOUGHT_AT_THE_TOP,
        **hosts.CACHED_AT_THE_TOP,
        **hosts.DEEPSEEK,
        **google.TABLE,
        **anthropic.TABLE,
        **openai.TABLE,
    }
)
_NUMBER = re.compile(r"\d{1,12}(\.\d{1,12})?")
_OF_ONE_MODEL = ("message", "compaction")
"""Kinds of Anthropic's iterations that the model of the call runs; another may be an advisor's."""
_CACHE_KINDS = ("prompt_tokens_details.cache_type", "input_tokens_details.cache_type")
"""Qwen: hits of an explicit cache cost half of those of an implicit one, which price lists do not tell apart."""


@dataclass(frozen=True, kw_only=True)
class Tiers:
    """Service tier that a request asked for, and the one that its answer names."""

    asked: str | None = None
    answered: str | None = None


def asked_tier(options: ModelOptions) -> str | None:
    """Return the service tier that a request asks for."""
    extra = (options.extra or {}).get("service_tier", options.service_tier)
    return extra if isinstance(extra, str) else None


def read_usage(
    usage: object,
    tools: Mapping[str, int] = MappingProxyType({}),
    tiers: Tiers = Tiers(),
    *,
    model: str,
    base_url: str | None = None,
) -> Billed:
    """Read the `usage` of an answer.

    Args:
        usage: Object of the answer; anything else means that there is no usage.
        tools: Calls of hosted tools in the output, by field of `Usage` or by the vendor's name.
        tiers: Tiers asked for and answered. One that was asked for and not answered makes the price unknown.
        model: The model that answered.
        base_url: Address of the vendor.
    """
    fields = cast(dict[str, object], usage) if isinstance(usage, dict) else {}
    usd, tier = reported_usd(fields), _tier(fields) or tiers.answered
    billed = Billed(model=model, reported_usd=usd, service_tier=tier, base_url=base_url, region=_region(fields))
    sorted_out = _sort_out(fields)
    if sorted_out is None:
        return billed
    counts, unread = sorted_out
    for name, number in tools.items():
        if name in COUNTS:
            counts[name] = max(counts[name], number)
        else:
            unread[name] = number
    if is_fee(fields) and usd is None:
        unread[FEE_ALONE] = 1
    if tier is None and tiers.asked not in STANDARD_TIERS:
        unread[f"service_tier={tiers.asked}, which was asked for and not answered"] = 1
    _settle(counts, unread, fields, _is_google(base_url, model))
    return changed(billed, usage=Usage(**{name: counts[name] for name in COUNTS}, unread=_kept(unread)))


def _sort_out(fields: Mapping[str, object]) -> tuple[dict[str, int], dict[str, float]] | None:
    """Return the counts by their role, and the unread ones by their path; `None` if one of them cannot be true."""
    counts: dict[str, int] = defaultdict(int)
    unread: dict[str, float] = {}
    known = {*FIELDS, "iterations"} if _are_summed(fields) else FIELDS
    for path, value in _leaves({name: value for name, value in fields.items() if name not in known}):
        role = _TABLE.get(path)
        if isinstance(value, str):
            if path in _CACHE_KINDS:
                unread[f"{path}={value}"] = 1
        elif role is None:
            if value:
                unread[f"usage.{path}"] = value if 0 < value <= MAX_TOKENS else 1
        elif role != REST:
            if not 0 <= value <= MAX_TOKENS or value != int(value):
                return None
            counts[role] = max(counts[role], int(value))
    return counts, unread


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, float | str]]:
    """Yield numbers and texts by their path. Of a list, the last non-zero item counts."""
    if isinstance(value, dict):
        for name, item in cast(dict[str, object], value).items():
            yield from _leaves(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for item in cast(list[object], value):
            yield from ((where, leaf) for where, leaf in _leaves(item, f"{path}[]") if leaf)
    elif isinstance(value, str):
        yield path, float(value) if _NUMBER.fullmatch(value) else value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, value


def _settle(counts: dict[str, int], unread: dict[str, float], fields: Mapping[str, object], google: bool) -> None:
    """Put parts into their wholes, as the sum proves or the vendor documents, and cut what exceeds its whole."""
    counts["cache_write_tokens"] = max(counts["cache_write_tokens"], counts[MINUTES] + counts["cache_write_1h_tokens"])
    for part in ("cache_read_tokens", "cache_write_tokens"):
        counts[part] = max(counts[part], counts[BESIDE + part])
    cached = counts["cache_read_tokens"] + counts["cache_write_tokens"]
    beyond = counts[TOTAL] - counts["input_tokens"] - counts["output_tokens"]
    if beyond <= 0 and _is_anthropics(fields) and not counts[TOTAL]:
        counts["input_tokens"] += cached
    elif beyond > 0 and beyond == counts["reasoning_tokens"]:  # xAI counts it beside the completion
        counts["output_tokens"] += beyond
    elif beyond > 0 and beyond == cached:
        counts["input_tokens"] += beyond
    elif beyond > 0 and google:  # its thoughts are in the sum alone
        counts["output_tokens"] += beyond
        counts["reasoning_tokens"] = max(counts["reasoning_tokens"], beyond)
    elif beyond > 0:
        unread["usage.total_tokens beyond its parts"] = beyond
    elif not counts[TOTAL] and counts["reasoning_tokens"] > counts["output_tokens"]:  # beside it, or wrong
        unread["usage.reasoning_tokens beyond the output"] = counts["reasoning_tokens"] - counts["output_tokens"]
    _clamp(counts)


def _clamp(counts: dict[str, int]) -> None:
    def cut(part: str, most: int) -> None:
        counts[part] = min(counts[part], most)

    cut("cache_read_tokens", counts["input_tokens"])
    cut("cache_write_tokens", counts["input_tokens"] - counts["cache_read_tokens"])
    cut("cache_write_1h_tokens", counts["cache_write_tokens"])
    for heard in ("input_audio_tokens", "input_image_tokens", "input_video_tokens"):
        cut(heard, counts["input_tokens"])
    cut("cache_read_audio_tokens", min(counts["cache_read_tokens"], counts["input_audio_tokens"]))
    for made in ("reasoning_tokens", "output_audio_tokens", "output_image_tokens"):
        cut(made, counts["output_tokens"])


def _is_anthropics(fields: Mapping[str, object]) -> bool:
    """Return True for Anthropic's own format, whose input excludes the cache; in `prompt_tokens` it is included."""
    return "prompt_tokens" not in fields and "input_tokens_details" not in fields


def _are_summed(fields: Mapping[str, object]) -> bool:
    """Return True if Anthropic's iterations are in the other counts: litellm adds them up. One model ran them all."""
    iterations = fields.get("iterations")
    if "prompt_tokens" not in fields or not isinstance(iterations, list):
        return False
    kinds = (
        cast(dict[str, object], one).get("type") for one in cast(list[object], iterations) if isinstance(one, dict)
    )
    return all(kind in _OF_ONE_MODEL for kind in kinds)


def _is_google(base_url: str | None, model: str) -> bool:
    return host_of(base_url).endswith("googleapis.com") or "gemini" in model.lower()


def _tier(fields: Mapping[str, object]) -> str | None:
    """Return the tier of Anthropic's usage, whose fast mode has a price like a tier."""
    speed, tier = fields.get("speed"), fields.get("service_tier")
    if isinstance(speed, str) and speed not in {"", "standard"}:
        return speed if tier in (None, "standard") else f"{tier}, {speed}"
    return tier if isinstance(tier, str) else None


def _region(fields: Mapping[str, object]) -> str | None:
    region = fields.get("inference_geo")
    return region if isinstance(region, str) and region not in {"", "global", "not_available"} else None


def _kept(unread: Mapping[str, float]) -> dict[str, float]:
    """Return the first unread counts under names that databases take."""
    some = list(unread.items())[:MAX_UNREAD]
    return {one_line(name)[:_LONGEST]: int(value) if value == int(value) else value for name, value in some}
