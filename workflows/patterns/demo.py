"""`llmflow demo patterns`: a letter is sorted by a vote, and each of its questions is answered and judged."""

from llmflow.dev.demos import Demo
from workflows.patterns.app import app
from workflows.patterns.schemas import Letter, Reply
from workflows.patterns.workflow import LettersDesk


def show(reply: Reply) -> str:
    """Render the reply, and what was done for it."""
    drafts = ", ".join(map(str, reply.rounds))
    done = f"a colleague answers: {reply.colleague}" if reply.colleague else f"drafts of each answer: {drafts}"
    return "\n".join([f"# {reply.subject or 'Your letter'}", "", reply.text, "", "---", "", f"- {done}"]) + "\n"


demo = Demo(
    app=app,
    about="Three ballots sort a letter; its questions are answered side by side, and each answer is judged",
    workflow=LettersDesk.run,
    input=Letter(
        text="When does the pool open on Sundays? What does a ticket cost for children under twelve? And why is the "
        "sauna closed in August?",
        facts="""The pool opens at 7:00 from Monday to Friday, and at 9:00 on Saturdays and Sundays.
A ticket costs 4.50 euros, and 2 euros for children under twelve.
The course for beginners starts on 2 March, and has room for ten children.
What was found is kept at the desk for three months.
The sauna is closed in August, because its oven is replaced.
""",
    ),
    show=show,
)
