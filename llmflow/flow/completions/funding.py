"""Calls without room in a budget that asks a person for more."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from llmflow.errors import BudgetExceeded, NoRoom
from llmflow.flow.approvals.approval import approval, rejection
from llmflow.flow.execute import execute, patient
from llmflow.flow.run import current
from llmflow.types.budgets import RaiseRequest
from llmflow.types.calls import CallOptions
from llmflow.types.contracts import RAISE
from llmflow.types.usage import dollars

T = TypeVar("T")

QUESTION = "budget"
"""Name of the approval."""


class MoreMoney(BaseModel):
    """Form of an approval: the amount to add to the budget."""

    model_config = ConfigDict(extra="forbid")

    usd: Decimal = Field(gt=0, le=9_000_000, description="US dollars to add to the budget")


async def funded(call: Callable[[], Awaitable[T]]) -> T:
    """Make a call; while a budget has no room that asks a person for more, ask, and make the call again.

    Raises:
        BudgetExceeded: a budget has no room, and asks nobody; or the person has refused.
    """
    while True:
        raises = current().funding.raises
        try:
            return await call()
        except BudgetExceeded as error:
            if error.detail.no_room is None:
                raise
            await _ask(error, error.detail.no_room, raises)


async def _ask(error: BudgetExceeded, room: NoRoom, raises: int) -> None:
    """Return if a person has raised the budget, also in answer to another branch.

    Raises:
        BudgetExceeded: the person has refused.
    """
    funding = current().funding
    async with funding.asking:
        if funding.raises > raises:
            return
        if funding.is_refused(room.id):
            raise error
        # Without the amount that is spent: it differs in a fork, which takes over the decision on the same question.
        subject = {"budget": room.budget, "limit_usd": str(room.limit), "call_usd": str(room.call)}
        whose = "this run" if room.budget == "run" else room.budget
        details = (
            f"The budget of {dollars(room.limit)} for {whose} has no room: the next call may cost "
            f"{dollars(room.call)}.\n\nTo go on, approve with the amount to add; a rejection ends the call."
        )
        decision = await approval(QUESTION, subject, form=MoreMoney, details=details)
        if not decision.approved or decision.form is None:
            funding.refuse(room.id)
            raise BudgetExceeded(f"{error.message}; {rejection(decision)}", error.detail)
        request = RaiseRequest(budget=room.id, usd=decision.form.usd, by=decision.by, why=decision.comment or None)
        options = CallOptions(start_to_close_timeout=timedelta(seconds=30), retry_policy=patient())
        await execute(RAISE, request, verb="raise_budget", options=options, summary=dollars(request.usd))
        funding.raises += 1
