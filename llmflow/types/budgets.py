"""Budgets: what a run and everything below it may cost."""

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from llmflow.types.base import CompactWire, Handwritten
from llmflow.types.usage import Dollars

__all__ = ["Budget"]


class Budget(CompactWire, Handwritten):
    """A limit on a run with all its children and the runs that continue it. `Budget(usd="0.50")`.

    It is kept in the store, before each call: parallel branches, children and attempts that died with their worker are
    counted. A call that does not fit fails with `BudgetExceeded`, and nothing was asked.
    """

    usd: Dollars = Field(ge=0, le=9_000_000)
    """US dollars: at most 9 million, because the store counts them in trillionths."""
    unpriced: Literal["refuse", "allow"] = "refuse"
    """What to do with a model whose price nobody knows: it could cost anything."""
    id: str | None = None
    """Set by llmflow: the run that it was given to."""

    if TYPE_CHECKING:

        def __init__(
            self, *, usd: Decimal | str | float, unpriced: Literal["refuse", "allow"] = "refuse", id: str | None = None
        ) -> None:
            """See the class. For type checkers, which would want a Decimal."""
