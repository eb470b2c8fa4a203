"""Forks: runs that take over what an earlier run has done, as far as it did not change."""

from llmflow.types.base import CompactWire


class Hop(CompactWire):
    """From a run to one of its children."""

    place: str = ""
    """Where it was started, such as `chapter[3]/Write#1`."""
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
    input: str = ""
    """Digest of another input; empty if the run begins with the same."""
    children: tuple[Hop, ...] = ()
    """The way from the forked run to the one whose results are taken; empty for itself."""
