"""References to models and prompts as text: `provider:model` and `research/plan@3f9a0c1d2e3f`."""

import re
from dataclasses import dataclass
from typing import Any, Self

from pydantic import model_serializer, model_validator

from llmflow.types.base import Wire

__all__ = ["PromptRef"]


@dataclass(frozen=True)
class ModelRef:
    """A model of a provider: `openai:gpt-5.4` as text and on the wire."""

    provider: str
    """A provider of models.yaml."""
    model: str
    """The vendor's own id of the model, which may contain colons."""

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"

    @property
    def vendor(self) -> str:
        """The provider, with the vendor in the model's id if it has one: `router:anthropic` of `router:anthropic/x`."""
        vendor = self.model.rpartition("/")[0]
        return f"{self.provider}:{vendor}" if vendor else self.provider

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `provider:model`. A text without a colon is all provider."""
        provider, _, model = text.partition(":")
        return cls(provider, model)


def is_alias(name: str) -> bool:
    """Return True for an alias of models.yaml, False for `provider:model`."""
    return ":" not in name


class PromptRef(Wire):
    """One version of a prompt: `research/plan@3f9a0c1d2e3f` as text and on the wire."""

    name: str
    version: str
    """The first 12 hex digits of the sha256 of the prompt's canonical content."""

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    @model_serializer
    def _to_text(self) -> str:
        return str(self)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:  # Any: any input; pydantic validates the rest
        if isinstance(value, str):
            name, _, version = value.rpartition("@")
            return {"name": name, "version": version}
        return value


def is_prompt_name(name: str) -> bool:
    """Return True for a name of letters, digits, `_`, `-`, `.` and `/` only, as files of prompts have."""
    return re.fullmatch(r"[\w./-]+", name) is not None


def app_of(prompt: str) -> str:
    """Return the App in a prompt's name: `research` of `research/plan`."""
    return prompt.partition("/")[0]


def folder_of(prompt: str) -> str:
    """Return the folder in a prompt's name: `research/long` of `research/long/plan`."""
    return prompt.rpartition("/")[0]
