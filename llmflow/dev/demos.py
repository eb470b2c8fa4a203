"""Demos: how the examples show what they do."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from llmflow.app import App
from llmflow.types.approvals import Decide

In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out")


@dataclass(frozen=True, kw_only=True)
class ScriptedDecision:
    """One decision of a person in a demo."""

    decide: Decide
    """`approval` is the name of one question, such as `refund`, or `refund#2` for its second round."""
    after: timedelta = timedelta(seconds=2)
    """How long after it was asked, so that the waiting can be seen."""


@dataclass(frozen=True, kw_only=True)
class Demo(Generic[In, Out]):
    """How an example shows what it does: the `demo` of `workflows/NAME/demo.py`, for `llmflow demo NAME`.

    It runs as it would in earnest: the waits of a workflow that has some are part of its input, so a demo gives
    short ones, and says so in `compressed`.
    """

    app: App
    about: str
    """What is shown, in a line."""
    workflow: Callable[[Any, In], Awaitable[Out]]  # Any: the workflow's own class
    """The run method, such as `TravelAgent.run`."""
    input: In
    """What the run is given. Each field is an option of the demo: `--destination Porto`."""
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """Options with another name than their field: `{"question": "text"}`."""
    prepare: Callable[[In], tuple[In, Mapping[str, str]]] | None = None
    """Checks the input before anything is started; returns it, and environment variables that its worker needs."""
    show: Callable[[Out], str]
    """The result as Markdown."""
    decisions: Sequence[ScriptedDecision] = ()
    """Of people, each given once. Those on the same question come in this order."""
    compressed: str = ""
    """Which waits are shorter than in earnest, in a sentence; empty if none are."""
