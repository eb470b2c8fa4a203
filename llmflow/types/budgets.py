"""Budgets: limits on the cost of a run, or of all calls of a tenant, a user, a tag, an App or a key."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, cast, get_args

from pydantic import Field

from llmflow.errors import ErrorDetail, InputInvalid, did_you_mean
from llmflow.types.base import CompactWire, Handwritten, Wire
from llmflow.types.usage import Dollars

__all__ = ["Balance", "Budget"]

Scope = Literal["run", "tenant", "user", "tag", "app", "key"]
"""Calls that a budget covers: of one run and its children, or all calls with that tenant, user, tag, App or key."""
Period = Literal["day", "month"]
"""Time after which a budget begins anew, in UTC."""
Unpriced = Literal["refuse", "allow"]
Uncertain = Literal["highest", "lowest"]
Full = Literal["refuse", "cheaper", "ask"]


class Budget(CompactWire, Handwritten):
    """A limit on a run, all its children and its continue-as-new runs: `Budget(usd="0.50")`.

    The store reserves the most that each call can cost before the call is made. So it counts parallel branches,
    children and attempts whose worker died. A call that does not fit fails with `BudgetExceeded` before the model is
    asked.
    """

    usd: Dollars = Field(ge=0, le=9_000_000)
    """US dollars, at most 9 million: the store counts trillionths in 64 bits."""
    unpriced: Unpriced = "refuse"
    """Policy for calls without a known upper bound, such as those of models without a price: they could cost any
    amount."""
    uncertain: Uncertain = "highest"
    """End of the range that counts for a call that may be billed or not: one that was cancelled, timed out, or died
    with its worker."""
    full: Full = "refuse"
    """Policy for a call without room: `cheaper` asks the next candidate of models.yaml, if that one fits; `ask` asks a
    person for more, in an approval."""
    id: str | None = None
    """The run that was started with this budget; llmflow sets it."""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            usd: Decimal | str | float,
            unpriced: Unpriced = "refuse",
            uncertain: Uncertain = "highest",
            full: Full = "refuse",
            id: str | None = None,
        ) -> None:
            """Tell type checkers that `usd` also takes strings and numbers."""


class BudgetName(Wire):
    """Address of a budget."""

    scope: Scope
    name: str
    """Workflow id of the run, or the tenant, user, tag, App or environment variable of the key."""
    period: Period | None = None
    """`None`: the budget never begins anew."""

    def __str__(self) -> str:
        return f"{self.scope} {self.name}" + (f" per {self.period}" if self.period else "")

    @classmethod
    def parse(cls, text: str, period: Period | None) -> "BudgetName":
        """Parse `tenant:acme`.

        Raises:
            InputInvalid: it has no scope or no name; the message has the nearest scope.
        """
        scope, _, name = text.partition(":")
        known = get_args(Scope)
        if scope not in known or not name:
            raise InputInvalid(
                f"{text!r} is no budget{did_you_mean(scope, known)}: write one of {', '.join(known)}, a colon and the "
                "name, such as tenant:acme",
                ErrorDetail(field="budget"),
            )
        return cls(scope=cast(Scope, scope), name=name, period=period)


class Hold(Wire):
    """Money that an in-flight call holds."""

    run_id: str
    activity_id: str
    attempt: int
    """1 for the first."""
    usd: Dollars
    """The most that the call can cost."""
    until: datetime
    """Time at which the money counts as spent, if nothing ends the call before."""


class Raise(Wire):
    """Money that a person added to the limit of a budget."""

    usd: Dollars
    """US dollars that were added."""
    by: str
    why: str | None = None
    at: datetime


class RaiseRequest(Wire):
    """A raise that a person decided in an approval."""

    budget: str
    """Key of the budget in the store."""
    usd: Dollars
    """US dollars to add to the limit."""
    by: str
    why: str | None = None


class Raised(Wire):
    """A budget after a raise."""

    usd: Dollars
    """US dollars of the limit now."""


class Balance(BudgetName):
    """A budget and its money, as the store has it."""

    since: date | None = None
    """First day of the current period, in UTC."""
    usd: Dollars
    """US dollars of the limit."""
    spent: Dollars = Decimal(0)
    """US dollars that are spent, or may be."""
    reserved: Dollars = Decimal(0)
    """US dollars that in-flight calls hold."""
    left: Dollars = Decimal(0)
    """US dollars that are neither spent nor reserved; negative after a bill beyond its reservation."""
    unpriced: Unpriced = "refuse"
    uncertain: Uncertain = "highest"
    full: Full = "refuse"
    closed: str | None = None
    """Reason why the budget takes no call: a bill beyond its reservation. Raising or resetting the budget opens it."""
    holds: tuple[Hold, ...] = ()
    """In-flight calls, the largest first; at most 100."""
    raises: tuple[Raise, ...] = ()
    """Raises of the limit, the newest first; at most 100."""


class BudgetWarning(BudgetName):
    """A budget of which half, four fifths or all is spent; told once, until it changes or begins anew."""

    percent: int
    """50, 80 or 100."""
    usd: Dollars
    """US dollars of the limit."""
    spent: Dollars
    """US dollars that are spent, or may be."""
