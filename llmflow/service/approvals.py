"""Approvals of runs: find the one that is meant, and check who may decide it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from llmflow.client import Client
from llmflow.errors import (
    ApprovalNotFound,
    DecisionRefused,
    ErrorDetail,
    InputInvalid,
    NoWorker,
    Remedy,
    did_you_mean,
)
from llmflow.service.workers import need_worker
from llmflow.types.addresses import base_of
from llmflow.types.approvals import ApprovalReport, Question, among, approver, outcome
from llmflow.types.runs import Inbox

ANSWER_WITHIN = timedelta(seconds=5)
"""Time limit of a worker's answer about a run's questions. Without an answer a decision can still be sent."""


async def inbox(
    client: Client, *, approver: str | None, older_than: timedelta | None, workflow: str | None, limit: int
) -> tuple[Inbox, int]:
    """Return open questions of all matching runs, oldest first; and if none matches, the number of all open ones.

    Raises:
        InputInvalid: the limit is out of range.
    """
    found = await client.inbox(approver=approver, older_than=older_than, workflow=workflow, limit=limit)
    return found, 0 if found.items else len((await client.inbox()).items)


async def asked_by(client: Client, id: str) -> ApprovalReport:
    """Return all questions of a run.

    Raises:
        NoWorker: nothing polls the run's task queue, so it cannot answer; or its delay is not over.
        RunNotFound: no run has this id.
    """
    one = client.run(id)
    await need_worker(client, await one.status())
    return await one.approvals()


async def question_to_decide(client: Client, id: str, name: str | None) -> Question | None:
    """Return the open question that is meant; `None` if no worker answers but the question has a name.

    A decision on the name is then sent, and the run judges it when it continues.

    Raises:
        ApprovalNotFound: see `open_one`.
        InputInvalid: see `open_one`.
        NoWorker: no worker answers, and no name is given; or the run's delay is not over.
        RunNotFound: no run has this id.
    """
    try:
        report = await asyncio.wait_for(asked_by(client, id), ANSWER_WITHIN.total_seconds())
    except (NoWorker, TimeoutError) as error:
        if isinstance(error, NoWorker) and error.detail.retry_after is not None:  # a delayed run takes no decision
            raise
        if name is None:
            why = error.message if isinstance(error, NoWorker) else f"run {id!r} gives no answer"
            raise NoWorker(
                f"name the question, and the decision waits for the run; else a worker must answer, and {why}",
                ErrorDetail(remedy=Remedy(action="start_worker")),
            ) from None
        return None
    return open_one(id, report.questions, name)


def named(run: str, questions: Sequence[Question], name: str) -> list[Question]:
    """Return the question of that name with its later rounds, or the one round that the name includes.

    Raises:
        ApprovalNotFound: the run has no such question; names those that it has.
    """
    found = [one for one in questions if name in (base_of(one.name), one.exact)]
    if not found:
        known = [one.name for one in questions]
        asked = ", ".join(known) or "nothing"
        raise ApprovalNotFound(f"run {run!r} has not asked `{name}`{did_you_mean(name, known)}. It has asked: {asked}")
    return found


def open_one(run: str, questions: Sequence[Question], name: str | None) -> Question:
    """Return the one question that is meant.

    Raises:
        ApprovalNotFound: none is open, or none of that name; names the open ones.
        InputInvalid: several are open, and none is named.
    """
    meant = questions if name is None else named(run, questions, name)
    still = [one for one in meant if one.status == "open"]
    if not still:
        ended = ", ".join(f"{one.name} ({outcome(one)})" for one in meant)
        raise ApprovalNotFound(f"run {run!r} has no open approval{f'; it has asked {ended}' if ended else ''}")
    if len(still) > 1:
        names = ", ".join(one.exact for one in still)
        raise InputInvalid(f"run {run!r} asks several things, name one of them: {names}")
    return still[0]


def check_voter(question: Question, by: str) -> None:
    """Refuse an approver whom the run would refuse, before they fill in a form.

    Raises:
        DecisionRefused: they may not decide, or have decided already.
    """
    if approver(question.approvers, by) is None:
        known = ", ".join(question.approvers)
        near = did_you_mean(by, question.approvers)
        raise DecisionRefused(
            f"`{by}` may not decide `{question.name}`{near}, but {known} may",
            ErrorDetail(field="by", remedy=Remedy(action="say_who")),
        )
    if among((vote.by for vote in question.votes), by):
        raise DecisionRefused(f"`{by}` has decided `{question.name}` already", ErrorDetail(field="approved"))


def decided(report: ApprovalReport) -> tuple[Question, ...]:
    """Return the questions that are no longer open."""
    return tuple(one for one in report.questions if one.status != "open")
