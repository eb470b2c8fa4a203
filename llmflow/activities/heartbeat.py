"""A heartbeat for as long as a call takes."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from temporalio import activity

SECONDS = 1.0
"""Between two beats. A cancellation reaches the call with the next one, and closes its connection."""


@contextmanager
def heartbeats() -> Generator[None]:
    """Beat from the first second on, whether or not the vendor has sent a byte.

    Without it a cancelled run never reaches the activity, and a dead worker is noticed only at the end of the
    activity's whole time.
    """
    loop = asyncio.get_running_loop()

    def beat() -> None:
        nonlocal timer
        activity.heartbeat()
        timer = loop.call_later(SECONDS, beat)

    timer = loop.call_later(SECONDS, beat)  # a timer and not a task, because most calls are over before a beat is due
    try:
        yield
    finally:
        timer.cancel()
