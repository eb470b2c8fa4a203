"""Questions that are abridged to fit into a report, a notification or a header."""

from collections.abc import Iterable

from pydantic_core import to_json

from llmflow.types.approvals import Question
from llmflow.types.base import changed

MAX_ABRIDGED = 200
"""Characters of each text in an abridged question."""


def that_fit(questions: Iterable[Question], room: int) -> tuple[Question, ...]:
    """Abridge the questions that exceed the room; open ones get it first, then the latest."""
    asked = list(questions)
    shown = list(asked)
    for n in sorted(range(len(asked)), key=lambda n: (asked[n].status != "open", -n)):
        size = len(to_json(asked[n]))
        if size > room:
            shown[n] = _abridged(asked[n], f"({size:,} bytes, too much to be shown here)")
        else:
            room -= size
    return tuple(shown)


def _abridged(question: Question, left_out: str) -> Question:
    """Shorten a question's texts; an open one keeps its votes whole."""
    changes: dict[str, object] = {"details": question.details[:MAX_ABRIDGED]}
    if question.payload is not None:
        changes["payload"] = left_out
    if question.status != "open":
        changes["votes"] = tuple(
            changed(
                vote,
                comment=vote.comment[:MAX_ABRIDGED],
                form=None if vote.form is None else left_out,
            )
            for vote in question.votes
        )
    return changed(question, **changes)
