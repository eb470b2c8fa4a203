"""Tools as data: what a model is told of one, what a workflow knows of one, and where a worker gets them from."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, runtime_checkable

from pydantic import JsonValue

from llmflow.types.base import CompactWire
from llmflow.types.calls import CallOptions

P = ParamSpec("P")
R = TypeVar("R")


class ToolSpec(CompactWire):
    """A tool as a model sees it."""

    name: str
    description: str
    json_schema: dict[str, JsonValue]
    """Of the arguments: an object."""


class Tool(ABC, Generic[P, R]):
    """A tool in workflow code: `flow.call_tool` runs it as an activity of its name. `@tool` makes one of a function."""

    name: str
    options: CallOptions
    """Of its activity."""
    approval: bool
    """Ask people before a workflow calls it."""

    @property
    @abstractmethod
    def spec(self) -> ToolSpec:
        """The tool as a model sees it."""

    @abstractmethod
    def bind(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:  # Any: arguments of every type
        """Arguments by name.

        Raises:
            ToolArgumentsInvalid: they do not fit the signature; names the parameter.
        """

    @abstractmethod
    def read(self, result: bytes) -> R:
        """The result of the activity, of its JSON.

        Raises:
            ToolOutputInvalid: it is not of the declared type.
        """


AnyTool = Tool[Any, Any]  # Any: a collection of tools has tools of every signature


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
