"""Formats of questions: on the page of the run in the Web UI, and in its memo."""

import json
from collections.abc import Iterable, Iterator

from pydantic import JsonValue
from temporalio import workflow

from llmflow.flow.approvals.answers import fields_of
from llmflow.types.approvals import Question, Waiting, WaitingList, next_voter
from llmflow.types.contracts import DECIDE
from llmflow.types.texts import code, command_line, harmless, markdown, visible_json

MAX_WAITING = 20
"""Open questions in the memo of a run, and on its page."""
MAX_TITLE = 80
"""Characters of a question's title."""
MAX_DETAILS = 10_000
"""Characters of a question's details on the page of its run; the query has all of them."""


def waiting(questions: Iterable[Question]) -> WaitingList:
    """Convert open questions to the memo's value."""
    return WaitingList(
        open=tuple(
            Waiting(
                name=question.name,
                asked_at=question.asked_at,
                deadline=question.deadline,
                approvers=question.approvers,
                quorum=question.quorum,
                approved_by=tuple(vote.by for vote in question.votes),
                title=_title(question),
            )
            for question in list(questions)[:MAX_WAITING]
        )
    )


def about(question: Question) -> str:
    """Return the details of a question, or its payload as text."""
    return question.details or _beginning(question.payload)


def _title(question: Question) -> str:
    lines = question.details.strip().splitlines()
    return _short(lines[0].lstrip("# ") if lines else _beginning(question.payload))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_TITLE else f"{text[: MAX_TITLE - 1]}…"


def _beginning(payload: JsonValue) -> str:
    if payload is None:
        return ""
    return payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)


def on_page(question: Question) -> Iterator[str]:
    """Format a question for the page: title, approvers, time, and commands to decide."""
    who = ", ".join(question.approvers) or "anyone"
    votes = f", {len(question.votes)} of {question.quorum} approved" if question.quorum > 1 else ""
    until = f", until {question.deadline:%Y-%m-%d %H:%M} UTC" if question.deadline else ""
    since = f" since {question.asked_at:%Y-%m-%d %H:%M} UTC"
    yield f"- **{markdown(question.name)}** waits for {markdown(who)}{votes}{since}{until}"
    if title := _title(question):
        yield f"  - {markdown(title)}"
    if question.details and (payload := _short(_beginning(question.payload))):
        yield f"  - {markdown(payload)}"
    yield f"  - {code(command(question))}"
    answer: dict[str, JsonValue] = {"approval": question.exact, "approved": True, "by": next_voter(question) or "NAME"}
    if question.form:
        answer["form"] = _blank_form(question)
    yield f"  - or send the signal `{DECIDE.name}` with {code(visible_json(json.dumps(answer, ensure_ascii=False)))}"
    for n, line in enumerate(harmless(question.details.strip()[:MAX_DETAILS]).splitlines()[1:]):
        yield f"  {line}" if n else f"\n  {line}"


def command(question: Question) -> str:
    """Format the shell command that approves this round of a question.

    It is built here, because the Web UI and webhook messages show it outside of llmflow's command line.
    """
    run = workflow.info().workflow_id
    words = ("llmflow", "approvals", "approve", run, question.exact, "--by", next_voter(question) or "NAME")
    form = ("--form", json.dumps(_blank_form(question), ensure_ascii=False)) if question.form else ()
    return command_line(*words, *form)


def _blank_form(question: Question) -> dict[str, JsonValue]:
    return dict.fromkeys(fields_of(question), "...")
