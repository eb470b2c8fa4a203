"""Forks: runs that take over what an earlier run has done, as far as it did not change."""

from llmflow.types.wire import CompactWire

FORK = "llmflow.fork"
"""Memo of a forked run, written at its start; and the header by which its activities know."""


class Hop(CompactWire):
    """From a run to one of its children: the n-th that it started of that workflow type, from 1."""

    workflow: str
    n: int
    """From 1, of that type."""
    batch: str = ""
    """What it works on, if on a batch, such as `investigate[500-999]`: in another run batches may be cut otherwise."""


class Fork(CompactWire):
    """Where a run came from, and what is different in it."""

    workflow_id: str
    """Of the run that was forked."""
    run_id: str
    before: int
    """Results of activities that this run scheduled before this event of its history are taken."""
    step: str = ""
    """The step or call at which it was forked, for people."""
    prompts: dict[str, str] = {}
    """By name: another version, or a label."""
    models: dict[str, str] = {}
    """By alias: another alias, or a `provider:model`."""
    children: tuple[Hop, ...] = ()
    """The way from the forked run to the one whose results are taken; empty for itself."""
