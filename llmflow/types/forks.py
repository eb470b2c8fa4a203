"""Forks: runs that reuse results of an earlier run as far as nothing changed."""

from llmflow.types.base import CompactWire


class Hop(CompactWire):
    """Path element from a run to one of its children."""

    place: str = ""
    """Address of the child in its parent, such as `chapter[3]/Write#1`."""
    batch: str = ""
    """Item range if the source is a fan-out batch, such as `investigate[500-999]`. Ranges can differ between runs."""


class Fork(CompactWire):
    """Source of a forked run, and the changes made to it."""

    workflow_id: str
    """Workflow id of the original run."""
    run_id: str
    before: int
    """Event id in the original run's history: results of activities scheduled before it are reused."""
    step: str = ""
    """The step or call at which the run was forked, for display."""
    prompts: dict[str, str] = {}
    """Replaced prompts: a version or label by prompt name."""
    models: dict[str, str] = {}
    """Replaced models: an alias or `provider:model` by alias."""
    input: str = ""
    """Digest of the replaced input; empty if the input is the same."""
    children: tuple[Hop, ...] = ()
    """Path from the original run to the child whose results are reused; empty for the original run."""
