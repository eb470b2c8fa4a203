"""A heartbeat for as long as a call takes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from temporalio import activity

SECONDS = 1.0
"""Between two beats. A cancellation reaches the call with the next one, and closes its connection."""


@asynccontextmanager
async def heartbeats() -> AsyncGenerator[None]:
    """Beat from the first second on, whether or not the vendor has sent a byte.

    Without it a cancelled run never reaches the activity, and a dead worker is noticed only at the end of the
    activity's whole time.
    """
    beating = asyncio.create_task(_beat())
    try:
        yield
    finally:
        beating.cancel()


async def _beat() -> None:
    while True:
        await asyncio.sleep(SECONDS)
        activity.heartbeat()
