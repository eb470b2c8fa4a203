"""The questions of one run, by what a person writes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from llmflow.cli._report import need_worker
from llmflow.cli._target import Connection
from llmflow.errors import ApprovalNotFound, DecisionRefused, ErrorDetail, InputInvalid, did_you_mean
from llmflow.types.addresses import base_of
from llmflow.types.approvals import ApprovalReport, Question, person

ApprovalName = Annotated[
    str | None,
    typer.Argument(metavar="APPROVAL", help="Which question, if the run has several: publish, or publish#2"),
]


async def asked_by(connection: Connection, id: str) -> ApprovalReport:
    """All that a run has asked.

    Raises:
        NoWorker: nothing polls the run's task queue, so it cannot answer; or its delay is not over.
        RunNotFound: no run has this id.
    """
    one = connection.client.run(id)
    status = await one.status()
    if not (status.begins_at and status.begins_at > datetime.now(UTC)):  # of that Temporal itself tells
        await need_worker(connection, status)
    return await one.approvals()


def named(run: str, questions: Sequence[Question], name: str) -> list[Question]:
    """The question of that name with its later rounds, or the one round that it names.

    Raises:
        ApprovalNotFound: there is none; names those that there are.
    """
    found = [one for one in questions if name in (base_of(one.name), one.exact)]
    if not found:
        known = [one.name for one in questions]
        asked = ", ".join(known) or "nothing"
        raise ApprovalNotFound(f"run {run!r} has asked no `{name}`{did_you_mean(name, known)}. It has asked: {asked}")
    return found


def open_one(run: str, questions: Sequence[Question], name: str | None) -> Question:
    """The one question that is meant.

    Raises:
        ApprovalNotFound: none is open, or none of that name; names those that are.
        InputInvalid: several are, and nobody says which one.
    """
    meant = questions if name is None else named(run, questions, name)
    still = [one for one in meant if one.status == "open"]
    if not still:
        ended = ", ".join(f"{one.name} ({one.status})" for one in meant)
        raise ApprovalNotFound(f"run {run!r} waits for nobody now{f'; it has asked {ended}' if ended else ''}")
    if len(still) > 1:
        names = ", ".join(one.exact for one in still)
        raise InputInvalid(f"run {run!r} asks several things, name one of them: {names}")
    return still[0]


def check_voter(question: Question, by: str) -> None:
    """Refuse whom the run would refuse, before they fill in a form.

    Raises:
        DecisionRefused: they may not decide, or have answered already.
    """
    if question.approvers and person(by) not in map(person, question.approvers):
        known = ", ".join(question.approvers)
        near = did_you_mean(by, question.approvers)
        raise DecisionRefused(
            f"`{by}` may not decide `{question.name}`{near}, give --by with one of {known}", ErrorDetail(field="by")
        )
    if person(by) in (person(vote.by) for vote in question.votes):
        raise DecisionRefused(f"`{by}` has answered `{question.name}` already", ErrorDetail(field="approved"))
