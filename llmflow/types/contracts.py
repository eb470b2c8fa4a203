"""Every hop that Temporal makes for us, with its name and its types.

Workflow code and activities never import each other; they meet here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from llmflow.types import wire
from llmflow.types.approvals import (
    ApprovalReport,
    Decide,
    Delivered,
    Notification,
    Reach,
    ReachRequest,
    Receipt,
    WaitingList,
)
from llmflow.types.budgets import Budget
from llmflow.types.carried import Carried
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.forks import Fork
from llmflow.types.prompts import Pins, RenderedPrompt, RenderRequest, ResolveRequest
from llmflow.types.steps import StepReport
from llmflow.types.usage import UsageReport

In = TypeVar("In")
Out = TypeVar("Out")
P = TypeVar("P")


class Converter(Protocol[P]):
    """Temporal's `PayloadConverter`: values to payloads and back."""

    def to_payload(self, value: Any, /) -> P:  # Any: whatever can be written
        """The payload of a value."""
        ...

    def from_payload(self, payload: P, type_hint: type[Out], /) -> Out:
        """The value of a payload."""
        ...


@dataclass(frozen=True)
class Header(Generic[Out]):
    """A header by its name, with the type of its value."""

    name: str
    value: type[Out]

    def write(self, value: Out, converter: Converter[P]) -> dict[str, P]:
        """The header, to be added to others."""
        return {self.name: converter.to_payload(value)}

    def read(self, headers: Mapping[str, P], converter: Converter[P]) -> Out | None:
        """Its value; `None` if it is not among the headers."""
        payload = headers.get(self.name)
        return None if payload is None else converter.from_payload(payload, self.value)


@dataclass(frozen=True)
class Memo(Generic[Out]):
    """A field of a run's memo by its name, with the type of its value."""

    name: str
    value: type[Out]


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


COMPLETE = Activity(wire.COMPLETE, CompletionRequest, CompletionResult)
RENDER = Activity(wire.RENDER, RenderRequest, RenderedPrompt)
RESOLVE = Activity(wire.RESOLVE, ResolveRequest, Pins)
"""A local activity: it asks memory and, once, the store, and costs one event."""
REACH = Activity(wire.REACH, ReachRequest, Reach)
"""It says how people learn of a question."""
NOTIFY = Activity(wire.NOTIFY, Notification, Delivered)

DECIDE = Update(wire.DECIDE, Decide, Receipt)
SPENT = Signal(wire.SPENT, UsageReport)
"""From a child that works on a batch of a fan-out, and ends without a result."""

APPROVALS = Query(wire.APPROVALS, ApprovalReport)
USAGE = Query(wire.USAGE, UsageReport)
STEPS = Query(wire.STEPS, StepReport)

CARRIED = Header(wire.CARRIED, Carried)
"""Of the start of a child, or of the run that continues another one."""
PLACE = Header(wire.PLACE, str)
"""Of every child: where its parent started it. Another run that does the same has it in the same place, whichever of
its branches were the fastest."""
FORK = Header(wire.FORK, Fork)
"""Of the activities of a forked run."""
KEY = Header(wire.KEY, str)
"""Of an activity that has an idempotency key from its workflow: an action and its compensation share it."""

TAGS = Memo(wire.TAGS, list[str])
TENANT = Memo(wire.TENANT, str)
USER = Memo(wire.USER, str)
BUDGET = Memo(wire.BUDGET, Budget)
FORKED = Memo(wire.FORK, Fork)
"""Of a forked run, written at its start."""
WAITING = Memo(wire.APPROVALS, WaitingList)
"""Which questions of a run are open: what an inbox reads, without a worker."""
