"""Recorded data that the code of today cannot read: it blocks the run until code is deployed that can."""

from typing import NoReturn

from llmflow.sdk.blocking import fail_task
from llmflow.types.texts import one_line


async def block(where: str, problem: str) -> NoReturn:
    """Fail the workflow task: the run waits for code that its data fits, and no code of the run sees an error.

    Args:
        where: Address of the call, or another name of the data.
        problem: Description of what does not fit.
    """
    await fail_task(misfit_of(where, problem))


def misfit_of(where: str, problem: str) -> RuntimeError:
    """Make the error: no failure, as what Temporal raises if it cannot decode a value."""
    said = one_line(problem).rstrip(".")
    return RuntimeError(f"{where}: {said}. Other code has recorded it: deploy code that it fits, or reset the run")
