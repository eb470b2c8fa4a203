"""Forks: the recorded results that a run, its activities and its children reuse."""

from collections.abc import Mapping

from llmflow.flow.run.part import AnyHeader, Part
from llmflow.flow.run.scope import batch
from llmflow.types.base import changed
from llmflow.types.carried import Carried
from llmflow.types.contracts import FORK
from llmflow.types.forks import Fork, Hop


class Forks(Part):
    """The fork behind a run, if it is a forked one."""

    def __init__(self) -> None:
        self.fork: Fork | None = None

    def restore(self, carried: Carried) -> None:
        """See base class."""
        self.fork = carried.fork

    def for_child(self, place: str) -> Mapping[str, object]:
        """See base class."""
        if self.fork is None:
            return {}
        part = batch.get()
        hop = Hop(place=place, batch=part.span if part else "")
        return {"fork": changed(self.fork, children=(*self.fork.children, hop))}

    def for_activity(self, activity_id: str | None, *, is_local: bool) -> Mapping[AnyHeader, object]:
        """See base class."""
        if self.fork is None or is_local:
            return {}
        fork = self.fork  # activities do not need the other fields
        told = Fork(workflow_id=fork.workflow_id, run_id=fork.run_id, before=fork.before, children=fork.children)
        return {FORK: told}
