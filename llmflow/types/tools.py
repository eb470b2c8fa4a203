"""Tools as a model sees them, and where a worker gets them from."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from pydantic import JsonValue

from llmflow.types.base import CompactWire

__all__ = ["ToolSource", "ToolSpec"]


class ToolSpec(CompactWire):
    """A tool as a model sees it."""

    name: str
    description: str
    json_schema: dict[str, JsonValue]
    """Of the arguments: an object."""


@runtime_checkable
class ToolSource(Protocol):
    """Tools that a worker serves, each as an activity of its name: `App(tools=[...])` lists sources.

    A function with `@tool` is a source of one tool; a class of yours may be one of many, such as those of another
    service.
    """

    def specs(self) -> Sequence[ToolSpec]:
        """The tools, as they stand when the worker starts."""
        ...

    async def call(self, name: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """Run one of them in an activity.

        Raises:
            ToolArgumentsInvalid: the arguments do not fit; no retry can help.
            ToolRefused: the tool itself says no; no retry can help.
            Exception: whatever else happens is retried.
        """
        ...
