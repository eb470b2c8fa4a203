"""`llmflow steps`: the steps of a run, with their progress and cost."""

from rich.text import Text

from llmflow.cli.bridge import run
from llmflow.cli.options import AsJson, RunId
from llmflow.cli.output import out, print_json, say
from llmflow.cli.step_tables import compensation_table, decision, step_table
from llmflow.cli.target import connected
from llmflow.service.approvals import decided
from llmflow.service.runs import steps_of
from llmflow.types.approvals import ApprovalReport
from llmflow.types.steps import StepReport


def steps(run_id: RunId, *, as_json: AsJson = False) -> None:
    """Show steps of a run: status, progress, time, calls, cost, error; and its compensations and decided questions.

    A worker answers, also for a run that has ended, as long as the workflow's code still fits it. A run that continued
    as new shows the last 500 steps of both.

    Example: llmflow steps research-calm-otter-7f3a --json
    """
    report, approvals, failure = run(_steps(run_id))
    if as_json:
        print_json({**dict(report), "failure": failure})
        return
    if not report.steps:
        say("this run has no steps: write `async with flow.step(...)` in its workflow")
    else:
        out.print(step_table(report.steps), crop=False)
    if report.compensations:
        out.print("\ncompensations", style="dim")
        out.print(compensation_table(report.compensations), crop=False)
    if questions := decided(approvals):
        out.print("\ndecisions", style="dim")
        out.print(*map(decision, questions), sep="\n", crop=False)
    if failure:
        out.print(Text(f"\n{failure}", "red"), crop=False)


async def _steps(id: str) -> tuple[StepReport, ApprovalReport, str | None]:
    return await steps_of((await connected()).client, id)
