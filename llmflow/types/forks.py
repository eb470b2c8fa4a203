"""Forks: runs that reuse results of an earlier run as far as nothing changed."""

from typing import Annotated

from pydantic import StringConstraints

from llmflow.errors import ErrorDetail, ForkStopped, Remedy
from llmflow.types.addresses import is_within
from llmflow.types.base import CompactWire, changed

MAX_SHOWN = 2_000
"""Characters of the arguments and of the reason that are kept of a stop."""
WHOLE = "*"
"""Stands for all steps of a child that is itself in the step."""

_Text = Annotated[str, StringConstraints(max_length=2 * MAX_SHOWN)]


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
    repeat_effects: bool = False
    """True if effects in the step, and those without a recorded result that stands, are called instead of a stop."""
    until: str = ""
    """Step or call before which the fork stops; empty: it runs to its end."""
    children: tuple[Hop, ...] = ()
    """Path from the original run to the child whose results are reused; empty for the original run."""
    root: str = ""
    """Workflow id of the forked run itself, for its activities and children."""

    def restarts(self, address: str) -> bool:
        """Return True for a call in the step at which the run was forked."""
        return _has(self.step, address)

    def stops(self, address: str) -> bool:
        """Return True for a call that the fork must not reach."""
        return _has(self.until, address)

    def below(self, hop: Hop, root: str) -> "Fork":
        """Return the fork for a child: a child in the step is in it as a whole."""
        return changed(
            self,
            step=WHOLE if self.restarts(hop.place) else "",
            until=WHOLE if self.stops(hop.place) else "",
            children=(*self.children, hop),
            root=self.root or root,
        )


class Stopped(CompactWire):
    """The call before which a fork stopped: signalled to it, and then in its memo."""

    run: _Text
    """Workflow id of the fork, or of a child of it."""
    address: _Text
    """Such as `pay/pay#1`."""
    call: _Text = ""
    """Tool, or type of the activity, whose effect is not repeated; empty: the fork was told to stop there."""
    arguments: _Text = ""
    """Its arguments as JSON, as far as they can be shown."""
    why: _Text = ""
    """Reason why there is no recorded result to take."""

    @property
    def message(self) -> str:
        """Sentence for people."""
        if not self.call:
            return f"the fork ended before `{self.address}`, as it was told to"
        return (
            f"the fork stopped before the effect `{self.address}`: it would call {self.call}({self.arguments}), and "
            f"{self.why}. Effects are not repeated unasked"
        )

    def error(self) -> ForkStopped:
        """Return the error for it."""
        remedy = Remedy(action="repeat_effects", run=self.run) if self.call else None
        return ForkStopped(self.message, ErrorDetail(remedy=remedy))


class StandsRequest(CompactWire):
    """Input of the activity by which a fork checks, after a saga, that its actions still stand."""

    paths: tuple[str, ...]
    """Steps of the actions."""
    fork: Fork


class Stood(CompactWire):
    """No action of the saga was undone by the run that is forked."""


def _has(step: str, address: str) -> bool:
    return step == WHOLE or (bool(step) and is_within(address, step))
