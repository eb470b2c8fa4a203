"""`llmflow demo claims`: forty letters, three of them broken, people above a limit, and a payment that fails."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from pydantic import JsonValue

from llmflow.dev.demos import Demo, ScriptedDecision
from llmflow.types.approvals import Decide
from workflows import documents
from workflows.claims.app import HERE, app
from workflows.claims.schemas import Folder, Report
from workflows.claims.workflow import ClaimsDesk


def show(report: Report) -> str:
    """Render what was settled, and what was not."""
    counts = Counter(one.status for one in report.settled)
    lines = [f"# {report.letters} letters: {counts['paid']} paid, {counts['rejected']} rejected", ""]
    lines += [f"{report.paid / 100:,.2f} EUR were paid. {report.summary}", ""]
    lines += [
        f"- {one.number}: {one.status}, {one.cents / 100:,.2f} EUR, decided by {one.decided_by}"
        for one in report.settled
        if one.decided_by != "the limit"
    ]
    lines += ["", "## Needs a person", "", *(f"- {one.path}: {one.reason}" for one in report.unsettled)]
    return "\n".join(lines) + "\n"


def prepare(folder: Folder) -> tuple[Folder, Mapping[str, str]]:
    """Return the folder by its absolute path, which the worker may read."""
    path, environ = documents.allow(folder.documents)
    return folder.model_copy(update={"documents": path}), environ


def _yes(number: str, cents: int) -> ScriptedDecision:
    form: JsonValue = {"cents": cents, "reason": "photos are clear"}
    decide = Decide(approval=f"payment {number}", approved=True, by="ida", form=form)
    return ScriptedDecision(decide=decide, after=timedelta(seconds=1))


demo = Demo(
    app=app,
    about="Forty letters are settled: people decide above a limit, a failed payment is undone, and three are broken",
    workflow=ClaimsDesk.run,
    input=Folder(documents=str(HERE / "documents"), answer_within=timedelta(seconds=6)),
    prepare=prepare,
    compressed="Adjusters have six seconds here, in earnest two days.",
    decisions=[
        _yes("C-1007", 120_000),
        _yes("C-1019", 80_000),
        ScriptedDecision(
            decide=Decide(approval="payment C-1026", approved=False, by="jon", comment="not insured"),
            after=timedelta(seconds=1),
        ),
    ],
    show=show,
)
