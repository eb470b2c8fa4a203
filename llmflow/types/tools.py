"""Tools as a model sees them, and their sources on a worker."""

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
    """Schema of the arguments, an object."""
    local: bool = False
    """True if agents call it on the worker of their workflow, as a local activity."""


@runtime_checkable
class ToolSource(Protocol):
    """A source of tools for `App(tools=[...])`; a worker serves each tool as an activity of its name.

    A function with `@tool` is a source of one tool. A class of yours may be a source of many, such as the tools of
    another service.
    """

    def specs(self) -> Sequence[ToolSpec]:
        """Return the tools; called once, when the worker starts."""
        ...

    async def call(self, name: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """Run a tool, inside its activity.

        Raises:
            ToolArgumentsInvalid: the arguments do not fit; not retried.
            ToolRefused: the tool refuses the call; not retried.
            Exception: any other error, which is retried.
        """
        ...
