"""Charges: costs of a tool that are no completion, such as a search or a lookup that somebody bills."""

from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal, DecimalException

from llmflow.errors import ConfigInvalid, ErrorDetail, InputInvalid
from llmflow.types.addresses import is_name

MOST = Decimal(9_000_000)
"""US dollars of one charge, at most."""


@dataclass(frozen=True)
class ToolCharge:
    """One cost of a tool."""

    usd: Decimal
    """US dollars."""
    what: str


charges: ContextVar[list[ToolCharge]] = ContextVar("llmflow_charges")
"""Charges of the running activity. The worker sets it; sync tools run in a copy of the context, with the same list."""


def charge(usd: Decimal | str | float, what: str) -> None:
    """Record what this call of a tool cost: in the ledger, in the run's usage and in its budgets.

    It is recorded when the attempt ends, also if it fails; each attempt has its own charges. Charges of the same name
    are added up.

    Args:
        usd: US dollars.
        what: Short name of the cost, such as `serp`, without `/` and `#`.

    Raises:
        ConfigInvalid: called outside of an activity of an llmflow worker.
        InputInvalid: the amount is negative or no amount, or the name has a `/` or a `#`.
    """
    try:
        amount = Decimal(str(usd))
    except DecimalException:
        amount = Decimal(-1)
    if not amount.is_finite() or not 0 <= amount <= MOST:
        raise InputInvalid(f"usd={usd!r}: give US dollars, such as 0.005", ErrorDetail(field="usd"))
    if not what.strip() or not is_name(what):
        raise InputInvalid(f"what={what!r}: give a short name without `/` and `#`", ErrorDetail(field="what"))
    try:
        charges.get().append(ToolCharge(amount, what))
    except LookupError:
        raise ConfigInvalid("charge() works only in tools and activities on an llmflow worker") from None
