"""External storage of large values: its sweep."""

from collections.abc import Callable
from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from llmflow.client import Client
from llmflow.client.errors import readable_errors
from llmflow.converter.storage import FRESH, blob_storage
from llmflow.errors import ConfigInvalid, InputInvalid
from llmflow.history.references import references

_EVERY = 100
"""Runs between two reports of progress."""


class Swept(BaseModel):
    """Outcome of a sweep."""

    model_config = ConfigDict(frozen=True)

    namespace: str
    runs: int
    """Runs and schedules that were read."""
    deleted: int
    """Values that no run and no schedule refers to; with `dry_run`, that would be deleted."""
    bytes: int
    """Their size in the storage."""
    kept: int
    """Old values that a run or a schedule refers to."""


async def sweep(client: Client, grace: timedelta, *, dry_run: bool, progress: Callable[[int], None]) -> Swept:
    """Delete the values of a namespace that no retained run and no schedule refers to.

    Args:
        client: Client with the storage.
        grace: Age below which a value stays: a worker may have stored it without having told Temporal yet.
        dry_run: Delete nothing.
        progress: Called with the number of runs that were read.

    Raises:
        ConfigInvalid: the client has no storage of ours.
        InputInvalid: the grace period is too short.
        ServerUnavailable: the server does not answer; nothing was deleted.
    """
    if grace < 2 * FRESH:  # within `FRESH`, a value that is stored again keeps its age
        raise InputInvalid(f"a grace period of {grace}: give at least {2 * FRESH.days} days")
    temporal = client.temporal
    storage = blob_storage(temporal.data_converter.external_storage)
    if storage is None:
        raise ConfigInvalid("no external storage: set LLMFLOW_STORAGE as the workers do")
    # Listed first: what is stored from now on is too young to be among them.
    old = {blob.hash: blob async for blob in storage.blobs(grace)}
    unused, runs = dict(old), 0
    async with readable_errors("the histories of all runs"):
        async for found in references(temporal):
            for hash in found:
                unused.pop(hash, None)
            runs += 1
            if runs % _EVERY == 0:
                progress(runs)
    if not dry_run:
        await storage.delete(unused.values())
    return Swept(
        namespace=temporal.namespace,
        runs=runs,
        deleted=len(unused),
        bytes=sum(blob.size for blob in unused.values()),
        kept=len(old) - len(unused),
    )
