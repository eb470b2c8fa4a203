"""`llmflow approvals show`: a run's questions in full, and how to decide them."""

from collections.abc import Sequence

from rich.console import Group
from rich.text import Text

from llmflow.cli.bridge import run
from llmflow.cli.options import AsJson, RunId
from llmflow.cli.output import out, print_json, say
from llmflow.cli.question_argument import ApprovalName
from llmflow.cli.questions import besides, question_page, show, where
from llmflow.cli.target import connected
from llmflow.service.approvals import asked_by, named
from llmflow.types.approvals import ApprovalReport
from llmflow.types.base import changed


def show_approval(run_id: RunId, approval: ApprovalName = None, *, as_json: AsJson = False) -> None:
    """Show what a run asks people, and has asked them.

    With the fields of its form, the decisions so far, and how to decide. A worker answers.

    Example: llmflow approvals show ticket-4711
    """

    async def look() -> tuple[ApprovalReport, Sequence[str]]:
        connection = await connected()
        return await asked_by(connection.client, run_id), where(connection)

    report, server = run(look())
    if approval is not None:
        questions = tuple(named(run_id, report.questions, approval))
        report = changed(report, questions=questions)
    if as_json:
        print_json(report)
        return
    if not report.questions:
        say(f"{run_id} has no approvals")
    for number, one in enumerate(report.questions):
        show(out, Group(*([Text()] if number else []), question_page(run_id, one, server)))
    for line in besides(report):
        show(out, Group(Text(), line))
