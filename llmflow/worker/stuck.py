"""A gauge of the runs that a bug blocks, for alerts."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress

from temporalio.client import Client
from temporalio.common import MetricMeter
from temporalio.service import RPCError, RPCStatusCode

from llmflow.client.status import in_state, quoted
from llmflow.history.executions import PROBLEMS
from llmflow.telemetry.metrics import STUCK_RUNS

_EVERY = 60.0
"""Seconds between two counts: one request for each task queue."""


@asynccontextmanager
async def counting_stuck_runs(client: Client, meter: MetricMeter, task_queues: Sequence[str]) -> AsyncGenerator[None]:
    """Report every minute how many runs of the task queues are blocked by a bug.

    A run whose task queue has no worker is not counted: no worker would report it. Without metrics, nothing is.
    """
    if meter is MetricMeter.noop:
        yield
        return
    task = asyncio.create_task(_count(client, meter, task_queues))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _count(client: Client, meter: MetricMeter, task_queues: Sequence[str]) -> None:
    gauge = meter.create_gauge(STUCK_RUNS, "Runs that a bug blocks.")
    while True:
        for queue in task_queues:
            query = f"{in_state('running')} AND TaskQueue = {quoted(queue)} AND {PROBLEMS}"
            try:
                found = await client.count_workflows(query)
            except RPCError as error:
                if error.status is RPCStatusCode.INVALID_ARGUMENT:  # a server from before this search attribute
                    return
                continue  # the server is away: the next count tells
            gauge.set(found.count, {"task_queue": queue, "namespace": client.namespace})
        await asyncio.sleep(_EVERY)
