"""Reservations: the most that calls can cost, before they are made."""

from datetime import timedelta
from decimal import Decimal

from llmflow.errors import BudgetExceeded, ErrorDetail
from llmflow.providers.pricing.bounds import bound_of
from llmflow.providers.pricing.prices import Prices
from llmflow.stores.budgets.reservations import Reservation
from llmflow.stores.ledger.rows import Call
from llmflow.types.budgets import Budget
from llmflow.types.models import ModelRequest

_GRACE = timedelta(minutes=1)
"""Time after an attempt's end until its reservation counts as spent: its record may still be in flight."""


def reservation(call: Call, asked: ModelRequest, budget: Budget, prices: Prices) -> Reservation:
    """Compute the most that a call can cost, with the output limit that `asked` carries.

    If that is unknown and the budget allows such calls, it is what is known, or zero.

    Raises:
        BudgetExceeded: it is unknown, and the budget does not allow that.
    """
    bound = bound_of(asked)
    cost = prices.at_most(call.model_asked, bound, call.at)
    if budget.unpriced == "refuse":
        _check_known(call.model_asked, cost.source if cost.usd is None else None, bound.unbounded, budget)
    return Reservation(
        run=call.origin.root or call.id.workflow_id,
        run_id=call.id.run_id,
        activity_id=call.id.activity_id,
        attempt=call.id.attempt,
        budget=budget,
        usd=cost.usd or Decimal(0),
        lasts=timedelta(seconds=asked.timeout) + _GRACE,
    )


def _check_known(model: str, unpriced: str | None, unbounded: str | None, budget: Budget) -> None:
    allow = 'start the run with Budget(..., unpriced="allow")'
    if unpriced is not None:
        raise BudgetExceeded(
            f"{model} has no known price ({unpriced}), and the run has a budget of ${budget.usd:f}: "
            f"add its price to prices.yaml, or {allow}",
            ErrorDetail(field="budget", model=model),
        )
    if unbounded is not None:
        raise BudgetExceeded(
            f"`{unbounded}` of a call of {model} may cost any amount, and the run has a budget of ${budget.usd:f}: "
            f"leave it out, or {allow}",
            ErrorDetail(field=unbounded, model=model),
        )
