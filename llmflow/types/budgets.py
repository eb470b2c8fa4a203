"""Budgets: a limit on the cost of a run and its children."""

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from llmflow.types.base import CompactWire, Handwritten
from llmflow.types.usage import Dollars

__all__ = ["Budget"]


class Budget(CompactWire, Handwritten):
    """A limit on a run, all its children and its continue-as-new runs: `Budget(usd="0.50")`.

    The store reserves the cost of each call before the call is made. So it counts parallel branches, children and
    attempts whose worker died. A call that does not fit fails with `BudgetExceeded` before the model is asked.
    """

    usd: Dollars = Field(ge=0, le=9_000_000)
    """US dollars, at most 9 million: the store counts trillionths in 64 bits."""
    unpriced: Literal["refuse", "allow"] = "refuse"
    """Policy for models without a known price, whose calls could cost any amount."""
    id: str | None = None
    """The run that was started with this budget; llmflow sets it."""

    if TYPE_CHECKING:

        def __init__(
            self, *, usd: Decimal | str | float, unpriced: Literal["refuse", "allow"] = "refuse", id: str | None = None
        ) -> None:
            """Tell type checkers that `usd` also takes strings and numbers."""
