"""`llmflow demo onboarding`: an offer, a manager who misses the deadline, and a week in seconds."""

from datetime import timedelta

from llmflow.dev.demos import Demo, ScriptedDecision
from llmflow.types.approvals import Decide
from workflows.onboarding.app import app
from workflows.onboarding.schemas import Hire, Journey
from workflows.onboarding.workflow import Onboard

FOUR_SECONDS = timedelta(seconds=4)


def show(journey: Journey) -> str:
    """Render the state of the new colleague, and what was done for them."""
    hire = journey.hire
    if journey.ended == "lapsed":
        return f"# {hire.name} does not begin\n\nThe offer was sent {journey.reminders + 1} times.\n"
    lines = [f"# {hire.name} has begun as {hire.role}", ""]
    if journey.letter:
        lines += [f"> {' '.join(journey.letter.lines)}", ""]
    lines += [f"- account: {account.login} in {account.system}" for account in journey.accounts]
    lines += [f"- ordered: {', '.join(order.items)} ({order.number})" for order in journey.orders]
    lines += [f"- not ordered: {item}" for item in journey.refused]
    return "\n".join(lines) + "\n"


demo = Demo(
    app=app,
    about="A new colleague, from the offer to the end of the first week, as a state machine that waits for people",
    workflow=Onboard.run,
    input=Hire(
        name="mia",
        role="developer",
        text="On your first day Sam meets you at the door at nine, and shows you the office and the people. Before "
        "lunch you set up your machine together. In the afternoon you join the team that keeps the shop running, and "
        "send your first small change to production. In the first week you sit next to Sam, who answers all questions.",
        answer_within=FOUR_SECONDS,
        check_after=FOUR_SECONDS,
    ),
    compressed="A manager has four seconds here, in earnest two days; and the first week takes four seconds.",
    decisions=[
        ScriptedDecision(
            decide=Decide(approval="offer", approved=True, by="mia", form={"needs": ["a laptop", "two screens"]})
        ),
        ScriptedDecision(
            decide=Decide(approval="equipment", approved=True, by="kai", comment="ana is on holiday"),
            after=timedelta(seconds=6),
        ),
        ScriptedDecision(
            decide=Decide(approval="first-week", approved=True, by="mia", form={"missing": ["a headset"]})
        ),
        ScriptedDecision(decide=Decide(approval="equipment#2", approved=True, by="ana")),
        ScriptedDecision(decide=Decide(approval="first-week#2", approved=True, by="mia", form={"missing": []})),
    ],
    show=show,
)
