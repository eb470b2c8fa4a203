"""Forks: recorded results that a run, its activities and its children reuse, and effects that they leave alone."""

from collections.abc import Iterator, Mapping

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue

from llmflow.flow.run.part import AnyHeader, Part
from llmflow.flow.run.scope import batch, effect, key
from llmflow.types import wire
from llmflow.types.base import changed
from llmflow.types.carried import Carried
from llmflow.types.contracts import EFFECT, FORK, STOP, STOPPED
from llmflow.types.forks import Fork, Hop, Stopped
from llmflow.types.texts import markdown


class Forks(Part):
    """The fork behind a run, if it is a forked one, and the mark of effects, which every run sets for its forks."""

    def __init__(self) -> None:
        self._fork: Fork | None = None
        self._is_effect = False
        self._stopped: Stopped | None = None

    @property
    def fork(self) -> Fork | None:
        """The run whose results this one reuses; `None` if it reuses none, as after continue-as-new."""
        return self._fork if self._fork and self._fork.before else None

    @property
    def keeps_effects(self) -> bool:
        """True if effects are left alone: they were those of the run that was forked."""
        return self._fork is not None and not self._fork.repeat_effects

    def restore(self, carried: Carried) -> None:
        """See base class."""
        self._fork, self._is_effect = carried.fork, carried.effect

    def answer(self) -> None:
        """See base class."""
        if self._fork:
            workflow.set_signal_handler(STOPPED.name, self.hear)

    def hear(self, sent: RawValue) -> None:
        """Note before which call the fork stops; the request to cancel it follows."""
        try:
            stopped = Stopped.model_validate_json(sent.payload.data)
        except ValidationError:  # not of our activity
            return
        if self._stopped is None:
            self._stopped = stopped
            workflow.upsert_memo({STOP.name: stopped})

    def page(self) -> Iterator[str]:
        """See base class."""
        if self._stopped:
            yield f"- {markdown(self._stopped.message)}"

    def for_next(self) -> Mapping[str, object]:
        """See base class. No recorded result has an address of the new run; effects are still left alone."""
        return {"fork": self._fork and changed(self._fork, before=0), "effect": self._is_effect}

    def for_child(self, place: str) -> Mapping[str, object]:
        """See base class."""
        part = batch.get()
        hop = Hop(place=place, batch=part.span if part else "")
        below = self._fork and self._fork.below(hop, workflow.info().workflow_id)
        return {"fork": below, "effect": self._is_effect_here()}

    def for_activity(self, activity_id: str | None, type: str, *, is_local: bool) -> Mapping[AnyHeader, object]:
        """See base class."""
        told: dict[AnyHeader, object] = {}
        if self._is_effect_here() and not type.startswith(f"{wire.PREFIX}."):
            told[EFFECT] = True
        if self._fork and (told or (self.fork and not is_local)):
            told[FORK] = self.told(self._fork)
        return told

    def told(self, fork: Fork) -> Fork:
        """Return what activities need of a fork: not the replaced prompts and models, and the run that it is."""
        return changed(fork, prompts={}, models={}, input="", root=fork.root or workflow.info().workflow_id)

    def _is_effect_here(self) -> bool:
        return self._is_effect or effect.get() or key.get() is not None
