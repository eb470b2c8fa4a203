"""References as people and the wire write them: `provider:model`, and `research/plan@3f9a0c1d2e3f`."""

import re
from dataclasses import dataclass
from typing import Any, Self

from pydantic import model_serializer, model_validator

from llmflow.types.base import Wire

__all__ = ["PromptRef"]


@dataclass(frozen=True)
class ModelRef:
    """A model of a provider; `openai:gpt-5.4` as text and on the wire."""

    provider: str
    """A provider of models.yaml."""
    model: str
    """The vendor's own id of the model, which may have colons."""

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `provider:model`. Of a text without a colon, all is the provider."""
        provider, _, model = text.partition(":")
        return cls(provider, model)


def is_alias(name: str) -> bool:
    """True if the name of a model is an alias of models.yaml, and not `provider:model`."""
    return ":" not in name


class PromptRef(Wire):
    """One version of one prompt; `research/plan@3f9a0c1d2e3f` as text and on the wire."""

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
    def _from_text(cls, value: Any) -> Any:  # Any: whatever the caller gave; pydantic judges the rest
        if isinstance(value, str):
            name, _, version = value.rpartition("@")
            return {"name": name, "version": version}
        return value


def is_prompt_name(name: str) -> bool:
    """True for letters, digits, `_`, `-`, `.` and `/`: what a file below a folder of prompts may be called."""
    return re.fullmatch(r"[\w./-]+", name) is not None


def app_of(prompt: str) -> str:
    """The App in the name of a prompt: `research` of `research/plan`."""
    return prompt.partition("/")[0]


def folder_of(prompt: str) -> str:
    """The folder in the name of a prompt: `research/long` of `research/long/plan`."""
    return prompt.rpartition("/")[0]
