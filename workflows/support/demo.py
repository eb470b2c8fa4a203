"""`llmflow demo support`: a refund above the limit, a form, and an approver who misses the deadline."""

from datetime import timedelta

from llmflow.dev.demos import Demo, ScriptedDecision
from llmflow.types.approvals import Decide
from workflows.support.app import app
from workflows.support.schemas import Solved, Ticket
from workflows.support.workflow import CustomerSupport


def show(solved: Solved) -> str:
    """Render the reply to the customer, and who decided it."""
    lines = [f"# A {solved.topic}, answered", "", f"> {solved.reply}", ""]
    lines += [f"- from the handbook: {source}" for source in solved.sources]
    if solved.refund:
        lines.append(f"- paid back: {solved.refund.amount} € for order {solved.refund.order}")
    if solved.decided_by:
        lines.append(f"- decided by {', '.join(solved.decided_by)}")
    return "\n".join(lines) + "\n"


demo = Demo(
    app=app,
    about="A refund above the limit needs a yes: two agents let their time pass, and their lead fills in the form",
    workflow=CustomerSupport.run,
    input=Ticket(
        customer="Mia Stern",
        text="Hello, my order A-1042 arrived with a broken motor. I want a refund, because I need a grinder that "
        "works. Thank you, Mia",
        answer_within=timedelta(seconds=4),
    ),
    options={"question": "text"},
    compressed="Each of them has four seconds here, in earnest four hours.",
    decisions=[
        ScriptedDecision(
            decide=Decide(
                approval="refund",
                approved=True,
                by="lena",
                comment="broken on arrival",
                form={"amount": 189, "reason": "broken motor"},
            ),
            after=timedelta(seconds=6),
        )
    ],
    show=show,
)
