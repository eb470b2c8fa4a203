"""Every hop that Temporal makes for us, with its name and its types.

Workflow code and activities never import each other; they meet here.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from llmflow.types.approvals import (
    ApprovalReport,
    Decide,
    Delivered,
    Notification,
    Reach,
    ReachRequest,
    Receipt,
)
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.prompts import Pins, RenderedPrompt, RenderRequest, ResolveRequest
from llmflow.types.steps import StepReport
from llmflow.types.usage import UsageReport

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class Activity(Generic[In, Out]):
    """An activity by its name, with the one input and the one output that it has."""

    name: str
    input: type[In]
    output: type[Out]


@dataclass(frozen=True)
class Query(Generic[Out]):
    """A query without arguments that every workflow which uses llmflow answers."""

    name: str
    output: type[Out]


@dataclass(frozen=True)
class Update(Generic[In, Out]):
    """An update that every workflow which uses llmflow takes; the signal of the same name takes the same input."""

    name: str
    input: type[In]
    output: type[Out]


@dataclass(frozen=True)
class Signal(Generic[In]):
    """A signal that every workflow which uses llmflow takes."""

    name: str
    input: type[In]


COMPLETE = Activity("llmflow.complete", CompletionRequest, CompletionResult)
RENDER = Activity("llmflow.render", RenderRequest, RenderedPrompt)
RESOLVE = Activity("llmflow.resolve", ResolveRequest, Pins)
"""A local activity: it asks memory and, once, the store, and costs one event."""
REACH = Activity("llmflow.reach", ReachRequest, Reach)
"""It says how people learn of a question."""
NOTIFY = Activity("llmflow.notify", Notification, Delivered)

DECIDE = Update("llmflow.decide", Decide, Receipt)
SPENT = Signal("llmflow.spent", UsageReport)
"""From a child that works on a batch of a fan-out, and ends without a result."""

APPROVALS = Query("llmflow.approvals", ApprovalReport)
USAGE = Query("llmflow.usage", UsageReport)
STEPS = Query("llmflow.steps", StepReport)
