"""Regions of calls: some vendors charge more in one, and some do not say where a call ran.

Sources: "Data residency" of developers.openai.com: 10 % more for models released on or after March 5, 2026, of which
gpt-5.4 is the first. "Data residency" of platform.claude.com: `inference_geo: us` costs 1.1 times all tokens. "Regional
inference" of docs.mistral.ai: 1.1 times all tokens. "Geo-specific inference" of docs.together.ai: 1.25 times. "Pricing"
of platform.claude.com: 10 % more at regional endpoints of Bedrock and Vertex AI for Claude 4.5 and later.
"""

import re
from decimal import Decimal

from llmflow.providers.hosts import host_of, is_at
from llmflow.providers.pricing.billing import PaidCall

_NONE = Decimal(1)
_TENTH = Decimal("1.1")
_ADDRESSES: tuple[tuple[re.Pattern[str], str, Decimal | None], ...] = (
    (re.compile(r"[a-z]{2}\.api\.openai\.com"), "api.openai.com", None),
    (re.compile(r"api\.(?:eu|us)\.mistral\.ai"), "api.mistral.ai", _TENTH),
    (re.compile(r"(?:us|ca)-api\.together\.(?:ai|xyz)"), "api.together.xyz", Decimal("1.25")),
    (re.compile(r"api\.together\.ai"), "api.together.xyz", _NONE),
)
"""Hosts of regions, the host that price lists know, and the factor on tokens; `None` if it depends on the model."""
_VERSION = re.compile(r"(?:ft:)?gpt-(\d+)(?:\.(\d+))?(?![\d.])")
_DEARER_SINCE = (5, 4)
_OLDER = re.compile(r"(?:ft:)?(?:o[134]\b|chatgpt-4o)")
_YUAN = ("aliyuncs.com", "bigmodel.cn", "minimaxi.com", "moonshot.cn", "siliconflow.cn", "volces.com")


def canonical(base_url: str) -> str:
    """Return the address by which price lists know the vendor, without its region."""
    host = host_of(base_url)
    known = next((known for pattern, known, _ in _ADDRESSES if pattern.fullmatch(host)), host)
    return base_url.replace(host, known, 1)


def uplift(call: PaidCall, vendor: str, model: str) -> Decimal:
    """Return the factor on the price of tokens in the region of a call.

    Args:
        call: The call.
        vendor: Vendor in the terms of genai-prices.
        model: Name of the model in the list.

    Raises:
        ValueError: the region may cost more, and it is not known how much.
    """
    if call.region:
        if vendor == "anthropic" and call.region == "us":
            return _TENTH
        raise ValueError(f"the price of {model} in the region {call.region!r} is not known")
    host = host_of(call.base_url)
    for pattern, _, factor in _ADDRESSES:
        if pattern.fullmatch(host):
            return _of_openai(model, host) if factor is None else factor
    if host.endswith("-aiplatform.googleapis.com"):
        raise ValueError(f"the price of {model} at the regional address {host} is not known")
    if is_at(call.base_url or "", *_YUAN):
        raise ValueError(f"{host} bills in yuan")
    return _NONE


def doubts(call: PaidCall, vendor: str, model: str) -> tuple[str, ...]:
    """Return what is not known about the place of a call: an address does not show it."""
    if vendor == "azure":
        return ("a data zone or a region of Azure may cost 10 % more",)
    if vendor == "google" and call.base_url is None and call.asked_model.startswith("vertex_ai"):
        return ("a region of Vertex AI may cost 10 % more",)
    if vendor == "aws" and "anthropic" not in model:
        return ("Bedrock's prices differ by region",)
    return ()


def _of_openai(model: str, host: str) -> Decimal:
    if found := _VERSION.match(model):
        return _TENTH if (int(found[1]), int(found[2] or 0)) >= _DEARER_SINCE else _NONE
    if _OLDER.match(model):
        return _NONE
    raise ValueError(f"the price of {model} at {host} is not known")
