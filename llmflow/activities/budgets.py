"""Reservations: estimated costs of calls, before they are made."""

from datetime import timedelta
from decimal import Decimal

from llmflow.errors import BudgetExceeded, ErrorDetail
from llmflow.providers.limits.limited import DEFAULT_OUTPUT
from llmflow.providers.pricing.prices import Prices
from llmflow.stores.budgets.reservations import Reservation
from llmflow.stores.ledger.rows import Call
from llmflow.types.budgets import Budget
from llmflow.types.models import ModelRequest
from llmflow.types.sizes import estimated_input
from llmflow.types.usage import Usage

_GRACE = timedelta(minutes=1)
"""Time after an attempt's end until its reservation counts as spent: its record may still be in flight."""


def reservation(call: Call, asked: ModelRequest, budget: Budget, prices: Prices) -> Reservation:
    """Estimate the cost of a call: its input by its characters, and the longest allowed answer.

    Without a known price it is zero, if the budget allows such calls.

    Raises:
        BudgetExceeded: the price is unknown, and the budget does not allow that.
    """
    usage = Usage(input_tokens=estimated_input(asked), output_tokens=asked.options.max_output_tokens or DEFAULT_OUTPUT)
    cost = prices.expected(call.model_asked, usage, call.at)
    if cost.usd is None and budget.unpriced == "refuse":
        raise BudgetExceeded(
            f"{call.model_asked} has no known price ({cost.source}), and the run has a budget of ${budget.usd:f}: "
            'add its price to prices.yaml, or start the run with Budget(..., unpriced="allow")',
            ErrorDetail(field="budget", model=call.model_asked),
        )
    return Reservation(
        run=call.origin.root or call.id.workflow_id,
        run_id=call.id.run_id,
        activity_id=call.id.activity_id,
        attempt=call.id.attempt,
        budget=budget,
        usd=cost.usd or Decimal(0),
        lasts=timedelta(seconds=asked.timeout) + _GRACE,
    )
