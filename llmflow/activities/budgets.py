"""The most that calls can cost, before they are made; and what they may have cost without an answer."""

from datetime import timedelta
from decimal import Decimal

from llmflow.providers.pricing.bounds import Bound, bound_of
from llmflow.providers.pricing.prices import Prices
from llmflow.stores.budgets.reservations import Reservation
from llmflow.stores.ledger.rows import MAYBE_BILLED, Call
from llmflow.types.base import changed
from llmflow.types.budgets import Scope
from llmflow.types.models import Billed, ModelRequest
from llmflow.types.origins import Origin
from llmflow.types.sizes import estimated_input
from llmflow.types.urls import masked
from llmflow.types.usage import Cost, Usage

_GRACE = timedelta(minutes=1)
"""Time after an attempt's end until its reservation counts as spent: its record may still be in flight."""


def reservation(
    call: Call, asked: ModelRequest, prices: Prices, scopes: tuple[tuple[Scope, str], ...] = ()
) -> Reservation:
    """Compute the most that a call can cost, with the output limit that `asked` carries.

    If that is unknown, it is the part that is known; budgets decide if they allow that.
    """
    bound = bound_of(asked)
    cost = prices.at_most(call.model_asked, bound, call.at)
    return Reservation(
        run=call.origin.root or call.id.workflow_id,
        run_id=call.id.run_id,
        activity_id=call.id.activity_id,
        attempt=call.id.attempt,
        model=call.model_asked,
        budget=call.origin.budget,
        scopes=scopes,
        usd=cost.usd or Decimal(0),
        least=_input_usd(call, asked, prices) or Decimal(0),
        unknown=_unknown(call.model_asked, cost, bound),
        lasts=timedelta(seconds=asked.timeout) + _GRACE,
    )


def scopes_of(origin: Origin, app: str, key: str | None) -> tuple[tuple[Scope, str], ...]:
    """Return every scope of a call that may have a budget, beside its run."""
    tags: list[tuple[Scope, str]] = [("tag", tag) for tag in origin.tags]
    named: list[tuple[Scope, str | None]] = [
        ("tenant", origin.tenant),
        ("user", origin.user),
        ("app", app),
        ("key", key),
    ]
    return (*((scope, name) for scope, name in named if name), *tags)


def ended(call: Call, outcome: str, asked: ModelRequest, prices: Prices, billed: Billed | None = None) -> Call:
    """Return the record of a call that ended without an answer: its cost, or the range of it if it may be billed.

    Args:
        call: The call.
        outcome: Class of its error, or another word for its end.
        asked: What was sent.
        prices: Price lists.
        billed: Usage and bill that the vendor sent with its error.
    """
    if billed:
        cost = prices.price(call.model_asked, billed, call.at)
        address = billed.base_url and masked(billed.base_url)
        call = changed(call, usage=billed.usage, cost=cost, base_url=address)
        if cost.usd is not None:
            return changed(call, outcome=outcome)
    if outcome not in MAYBE_BILLED:
        return changed(call, outcome=outcome)
    bound = bound_of(asked)
    high = None if bound.unbounded else prices.at_most(call.model_asked, bound, call.at).usd
    return changed(call, outcome=outcome, low_usd=_input_usd(call, asked, prices), high_usd=high)


def _input_usd(call: Call, asked: ModelRequest, prices: Prices) -> Decimal | None:
    """Estimate the cost of the input alone."""
    return prices.expected(call.model_asked, Usage(input_tokens=max(1, estimated_input(asked))), call.at).usd


def _unknown(model: str, cost: Cost, bound: Bound) -> str | None:
    if cost.usd is None:
        return (
            f"{model} has no known price ({cost.source}): add its price to prices.yaml, or allow such calls with "
            '`unpriced="allow"`'
        )
    if bound.unbounded is not None:
        return (
            f'{model}: {bound.unbounded} may cost any amount: change that, or allow such calls with `unpriced="allow"`'
        )
    return None
