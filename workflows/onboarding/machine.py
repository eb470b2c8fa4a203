"""From the offer to the end of the first week."""

from datetime import timedelta
from enum import StrEnum, auto
from typing import Literal

from temporalio import workflow

from llmflow import flow
from llmflow.errors import ApprovalExpired
from llmflow.flow import machine
from workflows.onboarding.schemas import Acceptance, FirstWeek, Journey, Letter
from workflows.onboarding.tools import create_account, order_equipment, send_mail

DAY = timedelta(days=1)
REMINDERS = 2
"""Maximum number of reminders of the offer."""
ORDERS = 3
"""Maximum number of orders; after the last one, the colleague is not asked again."""


class State(StrEnum):
    """States of a new colleague."""

    INVITED = auto()
    REMINDED = auto()
    ACCOUNTS = auto()
    EQUIPMENT = auto()
    WELCOME = auto()
    FIRST_WEEK = "first week"
    CHECK = auto()
    DONE = auto()
    LAPSED = auto()


class Onboarding(machine.Machine[Journey]):
    """State machine of an onboarding. It mostly waits for people, for weeks, and survives every restart."""

    start = State.INVITED
    ends = (State.DONE, State.LAPSED)

    @machine.step(State.INVITED, timeout=3 * DAY, on_timeout=State.REMINDED)
    async def invited(self, journey: Journey) -> Literal[State.ACCOUNTS, State.LAPSED]:
        """Send the offer. The colleague accepts with a list of needs, or declines."""
        hire = journey.hire
        details = f"{hire.name}, we offer you to begin as {hire.role}\n\n{hire.text}"
        answer = await flow.approval("offer", form=Acceptance, approvers=[hire.name], details=details)
        if answer.form is None:
            return State.LAPSED
        journey.needs = answer.form.needs
        return State.ACCOUNTS

    @machine.step(State.REMINDED)
    async def reminded(self, journey: Journey) -> Literal[State.INVITED, State.LAPSED]:
        """Send a mail, and wait another three days; but not for ever."""
        if journey.reminders == REMINDERS:
            return State.LAPSED
        journey.reminders += 1
        text = f"We would still like you to begin as {journey.hire.role}. Please say yes or no."
        await flow.call_tool(send_mail, journey.hire.name, "Our offer", text)
        return State.INVITED

    @machine.step(State.ACCOUNTS)
    async def accounts(self, journey: Journey) -> Literal[State.EQUIPMENT]:
        """Create an account in each system."""
        for system in journey.hire.systems:
            journey.accounts.append(await flow.call_tool(create_account, system, journey.hire.name))
        return State.EQUIPMENT

    @machine.step(State.EQUIPMENT, max_visits=ORDERS)
    async def equipment(self, journey: Journey) -> Literal[State.WELCOME, State.CHECK]:
        """Ask the manager to approve, or after the deadline the lead; nothing is ordered without approval."""
        hire, needs = journey.hire, journey.needs
        details = "\n".join([f"{hire.name} needs equipment", "", *(f"- {item}" for item in needs)])
        try:
            decision = await flow.approval(
                "equipment",
                needs,
                timeout=hire.answer_within,
                on_timeout="escalate",
                approvers=[hire.manager],
                escalate=[hire.lead],
                details=details,
            )
            agreed = decision.approved
        except ApprovalExpired:
            agreed = False
        if agreed:
            journey.orders.append(await flow.call_tool(order_equipment, hire.name, needs))
        else:
            journey.refused += needs
        journey.needs = []
        return State.CHECK if journey.letter else State.WELCOME

    @machine.step(State.WELCOME, retries=2)
    async def welcome(self, journey: Journey) -> Literal[State.FIRST_WEEK]:
        """Write a letter about the first week. It only asks a model, so it may be retried."""
        hire = journey.hire
        asked = {"name": hire.name, "role": hire.role, "manager": hire.manager, "text": hire.text}
        journey.letter = (await flow.complete("onboarding/welcome", asked, output=Letter)).output
        return State.FIRST_WEEK

    @machine.step(State.FIRST_WEEK)
    async def first_week(self, journey: Journey) -> Literal[State.CHECK]:
        """Wait for the first week."""
        lines = journey.letter.lines if journey.letter else []
        await flow.call_tool(send_mail, journey.hire.name, f"Welcome, {journey.hire.name}", "\n".join(lines))
        await workflow.sleep(journey.hire.check_after, summary="the first week")
        return State.CHECK

    @machine.step(State.CHECK, timeout=7 * DAY, on_timeout=State.DONE, max_visits=ORDERS)
    async def check(self, journey: Journey) -> Literal[State.EQUIPMENT, State.DONE]:
        """Ask for missing equipment, and order it. No answer means that nothing is missing."""
        details = f"How was your first week, {journey.hire.name}?"
        answer = await flow.approval("first-week", form=FirstWeek, approvers=[journey.hire.name], details=details)
        journey.checks += 1
        if answer.form and answer.form.missing and journey.checks < ORDERS:
            journey.needs = answer.form.missing
            return State.EQUIPMENT
        return State.DONE
