"""The worker of llmflow's own activities, beside a worker of the user's own."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker, WorkerConfig

from llmflow.sdk.options import is_default
from llmflow.types.wire import calls_queue

GRACEFUL_SHUTDOWN = timedelta(minutes=2)
"""Time for in-flight calls to finish when a worker stops. Temporal's default is none: they would be paid twice."""
HEARTBEAT_THROTTLE = timedelta(seconds=10)
"""Interval of sent heartbeats, and so the longest delay of a cancellation. Temporal's default is 60 s."""


def grace_of(config: WorkerConfig) -> timedelta:
    """Return the time for in-flight calls of llmflow: that of the owner's worker if one was given."""
    given = config.get("graceful_shutdown_timeout")
    return GRACEFUL_SHUTDOWN if given is None or is_default(config, "graceful_shutdown_timeout") else given


def with_our_defaults(config: WorkerConfig) -> None:
    """Set defaults for a worker of llmflow's calls alone, where Temporal's would lose work or money."""
    config["graceful_shutdown_timeout"] = grace_of(config)
    if is_default(config, "max_heartbeat_throttle_interval"):
        config["max_heartbeat_throttle_interval"] = HEARTBEAT_THROTTLE


@asynccontextmanager
async def calls_worker(beside: Worker, activities: Sequence[Any]) -> AsyncGenerator[Worker]:
    """Serve llmflow's activities on a task queue of their own while the user's worker runs.

    It has the options of the user's worker, but for our defaults, which concern nothing but llmflow's calls here.

    Args:
        beside: The user's worker, with the plugins applied.
        activities: All activities of llmflow.
    """
    config = beside.config(active_config=True)
    client = beside.client.config(active_config=True)
    client["plugins"] = []  # already applied to both configurations
    config["client"], config["plugins"] = Client(**client), []
    config["task_queue"] = calls_queue(beside.task_queue)
    config["activities"], config["workflows"], config["nexus_service_handlers"] = activities, [], []
    config["no_remote_activities"] = False
    with_our_defaults(config)
    async with Worker(**config) as worker:
        yield worker
