"""Two runs side by side."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from llmflow.errors import RunNotFound
from llmflow.service.connections import Connection
from llmflow.service.runs import Report, look, with_children


class Compared(BaseModel):
    """One of the runs."""

    model_config = ConfigDict(frozen=True)

    report: Report
    input: Any = None  # Any: JSON
    knows_input: bool = True
    result: Any = None  # Any: what the user's workflow returned


class RunComparison(BaseModel):
    """Two runs, and whether they began and ended alike."""

    model_config = ConfigDict(frozen=True)

    runs: tuple[Compared, Compared]
    same_input: bool | None
    """`None` if Temporal has forgotten the input of one of them."""
    same_result: bool
    """Both have a result, and it is the same."""


async def compare_runs(connection: Connection, one: str, two: str) -> RunComparison:
    """Compare two runs, with the usage of their children.

    Raises:
        RunNotFound: one of them is not there.
    """
    # One after the other: a worker that keeps no runs is slow to answer several at once, and may forget one.
    left, right = await _compared(connection, one), await _compared(connection, two)
    both_known = left.knows_input and right.knows_input
    both_done = left.report.status.state == right.report.status.state == "completed"
    return RunComparison(
        runs=(left, right),
        same_input=left.input == right.input if both_known else None,
        same_result=both_done and left.result == right.result,
    )


async def _compared(connection: Connection, id: str) -> Compared:
    one = connection.client.run(id)
    report = await with_children(one, await look(connection, one))
    result = await one.result() if report.status.state == "completed" else None
    try:
        return Compared(report=report, input=await one.input(), result=result)
    except RunNotFound:  # of a long one Temporal forgets the beginning
        return Compared(report=report, knows_input=False, result=result)
