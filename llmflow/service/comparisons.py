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
    result: Any = None  # Any: the result of the user's workflow


class RunComparison(BaseModel):
    """Two runs, with the equality of their inputs and results."""

    model_config = ConfigDict(frozen=True)

    runs: tuple[Compared, Compared]
    same_input: bool | None
    """True if the inputs are equal; `None` if Temporal no longer has one of them."""
    same_result: bool
    """True if both have a result, and it is the same."""


async def compare_runs(connection: Connection, one: str, two: str) -> RunComparison:
    """Compare two runs, with the usage of their children.

    Raises:
        RunNotFound: one of them does not exist.
    """
    # One at a time: a worker without a sticky cache is slow to answer several at once, and may evict one.
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
    except RunNotFound:  # Temporal no longer has the beginning of a long one
        return Compared(report=report, knows_input=False, result=result)
