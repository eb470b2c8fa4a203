"""Heartbeats during a call."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from temporalio import activity

SECONDS = 1.0
"""Seconds between heartbeats. A cancellation reaches the call with the next one and closes its connection."""


@contextmanager
def heartbeats() -> Generator[None]:
    """Send heartbeats from the first second on, also before the vendor's first byte.

    Without them, a cancellation never reaches the activity, and a dead worker is noticed only at the activity's
    `start_to_close_timeout`.
    """
    loop = asyncio.get_running_loop()

    def beat() -> None:
        nonlocal timer
        activity.heartbeat()
        timer = loop.call_later(SECONDS, beat)

    timer = loop.call_later(SECONDS, beat)  # a timer is cheaper than a task, and most calls end before the first beat
    try:
        yield
    finally:
        timer.cancel()
