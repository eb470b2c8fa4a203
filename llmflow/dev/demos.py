"""Demos: runs that show an example."""

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
    """Decision. Its `approval` names one question, such as `refund`, or `refund#2` for its second round."""
    after: timedelta = timedelta(seconds=2)
    """Delay after the question was asked, so that the waiting can be seen."""


@dataclass(frozen=True, kw_only=True)
class Demo(Generic[In, Out]):
    """Demo of an example: the `demo` of `workflows/NAME/demo.py`, for `llmflow demo NAME`.

    It runs the workflow as in production. If the workflow has waits, they are part of its input: a demo gives short
    ones, and says so in `compressed`.
    """

    app: App
    about: str
    """Description in a line."""
    workflow: Callable[[Any, In], Awaitable[Out]]  # Any: the workflow's own class
    """Run method, such as `TravelAgent.run`."""
    input: In
    """Input of the run. Each field is an option of the demo: `--destination Porto`."""
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """Options with another name than their field: `{"question": "text"}`."""
    prepare: Callable[[In], tuple[In, Mapping[str, str]]] | None = None
    """Checks the input before anything is started; returns it, and environment variables that its worker needs."""
    show: Callable[[Out], str]
    """Renders the result as Markdown."""
    decisions: Sequence[ScriptedDecision] = ()
    """Decisions of people, each sent once. Those on the same question are sent in this order."""
    compressed: str = ""
    """Waits that are shorter than in production, in a sentence; empty if none are."""
