"""Pauses before a retry, shown in the run's status."""

from datetime import timedelta

from temporalio import workflow

from llmflow.flow.run import current, path
from llmflow.types.addresses import joined
from llmflow.types.steps import Wait


async def pause(seconds: float, *, reason: str, summary: str) -> None:
    """Wait, and show the pause in the run's status and on its page in the Web UI.

    Args:
        seconds: Length of the pause.
        reason: Reason for people.
        summary: Summary of the timer in history.
    """
    run = current()
    wait = Wait(path=joined(path.get()), reason=reason, until=workflow.now() + timedelta(seconds=seconds))
    try:
        with run.waits.waiting(wait):
            run.show()
            await workflow.sleep(seconds, summary=summary)
    finally:
        run.show()
