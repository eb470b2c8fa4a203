"""Pauses until something is tried again, which people see."""

from datetime import timedelta

from temporalio import workflow

from llmflow.flow.run import current, path
from llmflow.types.addresses import joined
from llmflow.types.steps import Wait


async def pause(seconds: float, *, reason: str, summary: str) -> None:
    """Wait, and say so in the status of the run and on its page.

    Args:
        seconds: How long.
        reason: Why, for people.
        summary: Of the timer, in the history.
    """
    run = current()
    wait = Wait(path=joined(path.get()), reason=reason, until=workflow.now() + timedelta(seconds=seconds))
    try:
        with run.waits.waiting(wait):
            run.show()
            await workflow.sleep(seconds, summary=summary)
    finally:
        run.show()
