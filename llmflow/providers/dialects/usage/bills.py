"""The vendor's own bill inside `usage`. It wins over every price list.

Sources: "Cost tracking" of docs.x.ai: ten billion ticks are a dollar. "Usage accounting" of openrouter.ai/docs: with
the user's own vendor key, `cost` is OpenRouter's fee, and `upstream_inference_cost` what that vendor charges.
"Pricing" of docs.perplexity.ai: `cost` is an object with its sum. DeepInfra's `estimated_cost` (`UsageInfo` of its
OpenAPI description).
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import cast

MAX_USD = 10**6
"""US dollars of one call that a vendor is believed."""
FIELDS = frozenset({"cost", "cost_details", "cost_in_usd_ticks", "estimated_cost", "is_byok"})
"""Fields of a bill, which count nothing."""
FEE_ALONE = "cost without its upstream_inference_cost"
"""Name of a bill that is only the gateway's part."""

_TICKS = Decimal(10**10)


def reported_usd(usage: Mapping[str, object]) -> Decimal | None:
    """Return the US dollars that a vendor says the call cost; `None` if it does not say, or not all of it."""
    ticks = _amount(usage.get("cost_in_usd_ticks"), Decimal(MAX_USD) * _TICKS)
    if ticks is not None:
        return ticks / _TICKS
    cost = _cost(usage.get("cost"))
    if cost is None:
        return _amount(usage.get("estimated_cost"))
    upstream = _upstream(usage)
    if is_fee(usage):
        return None if upstream is None else cost + upstream
    return cost


def is_fee(usage: Mapping[str, object]) -> bool:
    """Return True if `cost` is only a gateway's fee. If it does not say so, a vendor that costs more than all does."""
    said, cost, upstream = usage.get("is_byok"), _cost(usage.get("cost")), _upstream(usage)
    if isinstance(said, bool):
        return said
    return cost is not None and upstream is not None and upstream > cost


def _cost(value: object) -> Decimal | None:
    if not isinstance(value, dict):
        return _amount(value)
    parts = cast(dict[str, object], value)
    return _amount(parts.get("total_cost")) if parts.get("currency") in (None, "USD") else None


def _upstream(usage: Mapping[str, object]) -> Decimal | None:
    details = usage.get("cost_details")
    return (
        _amount(cast(dict[str, object], details).get("upstream_inference_cost")) if isinstance(details, dict) else None
    )


def _amount(value: object, most: Decimal = Decimal(MAX_USD)) -> Decimal | None:
    """Read a number, or the text of one, by its shortest form: 2.5e-07, not 2.49999999999999989e-07."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount <= most else None
