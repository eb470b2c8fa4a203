"""Pauses before a retry, shown in the run's status."""

import asyncio
from datetime import timedelta

from temporalio import workflow

from llmflow.errors import LLMFlowError
from llmflow.flow.run import current, path
from llmflow.types.addresses import joined
from llmflow.types.steps import Wait

CROWD = 20
"""Waiting calls of one run above which each call waits longer."""


async def pause_after(error: LLMFlowError, seconds: float) -> None:
    """Wait before a call that asked nothing is made again, at least `seconds`.

    With many waiting calls, each waits longer: one retry of a thousand calls is five thousand events.
    """
    kind, seconds = type(error).__name__, seconds * max(1.0, current().waits.count() / CROWD)
    await pause(seconds, reason=f"{kind}: {error.message}", summary=f"{kind}: asks again in {seconds:.0f} s")


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
    except asyncio.CancelledError:  # not the BaseException that Temporal throws into an evicted run
        run.show()
        raise
    run.show()
