"""Late decisions: those by signal that the run handled after the deadline count if they were sent before it."""

from itertools import groupby

from llmflow.flow.approvals.notices import persistent
from llmflow.flow.execute import execute
from llmflow.flow.run import CurrentRun
from llmflow.types.approvals import SentRequest
from llmflow.types.contracts import SENT


async def judge_late(run: CurrentRun, name: str, *, ends: bool) -> None:
    """Apply the decisions on a question that were handled after its deadline.

    If the deadline ends the question, the run's history tells when they were sent. The workflow cannot know: what
    happens while no worker runs is handled all at once. Before an escalation, all of them count.
    """
    held = run.approvals.late(name, ends=ends)
    if not ends:
        for one in held:
            run.approvals.judge(one, one.at)
    for run_id, some in groupby(held if ends else (), key=lambda one: one.run_id):
        late = tuple(some)
        request = SentRequest(run_id=run_id, numbers=tuple(one.number for one in late))
        summary = f"approval {name}: sent before its deadline?"
        _, found = await execute(SENT, request, verb="sent", options=persistent(), summary=summary)
        for one, sent in zip(late, found.at, strict=True):
            run.approvals.judge(one, sent)
