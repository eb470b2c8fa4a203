"""`llmflow demo review`: one reviewer sends an article back, and two others publish it."""

from llmflow.dev.demos import Demo, ScriptedDecision
from llmflow.types.approvals import Decide
from workflows.review.app import app
from workflows.review.schemas import Notes, Reviewed
from workflows.review.workflow import Review


def show(reviewed: Reviewed) -> str:
    """Render the article, with the requests of the reviewers."""
    lines = [f"# {reviewed.article.title}", "", reviewed.article.text, "", "---", ""]
    lines += [f"- the judge gives it {reviewed.score} of 10"]
    lines += [f"- a reviewer asked: {wish}" for wish in reviewed.wishes]
    lines += [f"- {reviewed.publication.number}, approved by {' and '.join(reviewed.approved_by)}"]
    return "\n".join(lines) + "\n"


demo = Demo(
    app=app,
    about="An article is written, judged and improved; one reviewer sends it back, then two of three approve",
    workflow=Review.run,
    input=Notes(
        brief="On which days does the night train run, and in which cities does it stop?",
        text="""From 3 May on, the night train to Lisbon runs on all days of the week except on Sundays.
On its way the night train stops in three cities: Lyon, Barcelona and Madrid.
A seat costs 39 euros, and a bed in a cabin of four costs 79 euros. Children under six travel free of charge.
Each train carries 24 bicycles, and a bicycle needs a reservation. The kitchen car closes at 23:00.
The old line was closed in 2012, because its cars were worn out.
""",
    ),
    decisions=[
        ScriptedDecision(decide=Decide(approval="publish", approved=True, by="ana")),
        ScriptedDecision(decide=Decide(approval="publish", approved=False, by="bo", comment="What does a bed cost?")),
        ScriptedDecision(decide=Decide(approval="publish#2", approved=True, by="ana")),
        ScriptedDecision(decide=Decide(approval="publish#2", approved=True, by="cy", comment="I would take it")),
    ],
    show=show,
)
