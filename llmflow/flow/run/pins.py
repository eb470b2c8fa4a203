"""Pins: prompt versions and models, fixed for a run from their first use."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from llmflow.errors import InputInvalid
from llmflow.flow.run.part import Part
from llmflow.types.base import changed
from llmflow.types.carried import Carried
from llmflow.types.models import Candidate
from llmflow.types.prompts import PinnedPrompt, Pins, Prompt, PromptSource
from llmflow.types.refs import PromptRef, app_of


@dataclass(frozen=True)
class Pin:
    """Prompt version and models of one call."""

    prompt: PromptRef
    source: PromptSource
    candidates: tuple[Candidate, ...]
    """Models in the order in which they are tried; empty if neither the call nor the prompt names one."""
    inline: bool
    """True if the prompt is inline in workflow code."""


class RunPins(Part):
    """Prompts by name, and models by App and alias. The first resolving of a name holds for the life of the run."""

    def __init__(self) -> None:
        self.resolving = asyncio.Lock()
        """Serializes resolve requests: parallel first calls ask once."""
        self._prompts: Mapping[str, PinnedPrompt] = {}
        self._models: Mapping[str, dict[str, tuple[Candidate, ...]]] = {}
        self._inline: dict[str, Prompt] = {}

    def restore(self, carried: Carried) -> None:
        """See base class."""
        self._prompts, self._models = carried.prompts, carried.models

    def for_next(self) -> Mapping[str, object]:
        """See base class."""
        return {"prompts": self._prompts, "models": self._models}

    def for_child(self, place: str) -> Mapping[str, object]:
        """See base class."""
        return self.for_next()

    def learn(self, child: Carried) -> None:
        """Adopt a child's pins for names without a pin here."""
        self._prompts = {**child.prompts, **self._prompts}
        self._models = {
            app: {**child.models.get(app, {}), **self._models.get(app, {})} for app in {**child.models, **self._models}
        }

    def keep(self, prompt: str, pins: Pins) -> None:
        """Pin the resolved names that have no pin yet."""
        self._prompts = {**pins.prompts, **self._prompts}
        app = app_of(prompt)
        self._models = {**self._models, app: {**pins.models, **self._models.get(app, {})}}

    def alias(self, prompt: str, model: str | None, item: str | None) -> str | None:
        """Return the model's name for a call: the call's own, or the pinned prompt's."""
        found = self._prompts.get(prompt)
        return model or (found.of(item).model if found else None)

    def inline(self, prompt: Prompt) -> Prompt:
        """Register an inline prompt.

        Raises:
            InputInvalid: this run has another inline prompt of that name.
        """
        if self._inline.setdefault(prompt.name, prompt) != prompt:
            raise InputInvalid(f"two different inline prompts are called `{prompt.name}`: rename one of them")
        return prompt

    def find(self, prompt: str, model: str | None, item: str | None) -> Pin | None:
        """Return the pin of a prompt for a call, of an item with that label; `None` if it is not resolved yet."""
        pinned, alias = self._prompts.get(prompt), self.alias(prompt, model, item)
        models = self._models.get(app_of(prompt), {})
        if pinned is None or (alias is not None and alias not in models):
            return None
        found = pinned.of(item)
        candidates = tuple(
            changed(candidate, options=found.options.over(candidate.options))
            for candidate in (models[alias] if alias else ())
        )
        ref = PromptRef(name=prompt, version=found.version)
        return Pin(prompt=ref, source=found.source, candidates=candidates, inline=pinned.inline)
