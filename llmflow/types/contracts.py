"""Activities, queries, updates, signals, headers and memos with their names and types.

Workflow code and activities never import each other; both import these contracts.
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
    Recalled,
    RecallRequest,
    Receipt,
    Sent,
    SentRequest,
    Settled,
    WaitingList,
)
from llmflow.types.budgets import Budget, Raised, RaiseRequest
from llmflow.types.carried import Carried
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.constants import ConstantsRequest, PinnedConstants
from llmflow.types.events import Stream
from llmflow.types.forks import Fork, StandsRequest, Stood, Stopped
from llmflow.types.prompts import Pins, RenderedPrompt, RenderRequest, ResolveRequest
from llmflow.types.reports import Score
from llmflow.types.scores import ScoreRequest
from llmflow.types.steps import StepReport
from llmflow.types.usage import UsageReport

In = TypeVar("In")
Out = TypeVar("Out")
P = TypeVar("P")


class Converter(Protocol[P]):
    """Temporal's `PayloadConverter`: values to payloads and back."""

    def to_payload(self, value: Any, /) -> P:  # Any: every serializable value
        """Convert a value to a payload."""
        ...

    def from_payload(self, payload: P, type_hint: type[Out], /) -> Out:
        """Convert a payload to a value."""
        ...


@dataclass(frozen=True)
class Header(Generic[Out]):
    """A header: its name and the type of its value."""

    name: str
    value: type[Out]

    def write(self, value: Out, converter: Converter[P]) -> dict[str, P]:
        """Encode the header, to be merged with others."""
        return {self.name: converter.to_payload(value)}

    def read(self, headers: Mapping[str, P], converter: Converter[P]) -> Out | None:
        """Decode the header's value; `None` if it is not among the headers."""
        payload = headers.get(self.name)
        return None if payload is None else converter.from_payload(payload, self.value)


@dataclass(frozen=True)
class Memo(Generic[Out]):
    """A field of a run's memo: its name and the type of its value."""

    name: str
    value: type[Out]


@dataclass(frozen=True)
class Activity(Generic[In, Out]):
    """An activity: its name, the type of its one input and of its output."""

    name: str
    input: type[In]
    output: type[Out]


@dataclass(frozen=True)
class Query(Generic[Out]):
    """A query without arguments, answered by every workflow that uses llmflow."""

    name: str
    output: type[Out]


@dataclass(frozen=True)
class Update(Generic[In, Out]):
    """An update accepted by every workflow that uses llmflow; the signal of the same name takes the same input."""

    name: str
    input: type[In]
    output: type[Out]


@dataclass(frozen=True)
class Signal(Generic[In]):
    """A signal accepted by every workflow that uses llmflow."""

    name: str
    input: type[In]


COMPLETE = Activity(wire.COMPLETE, CompletionRequest, CompletionResult)
RENDER = Activity(wire.RENDER, RenderRequest, RenderedPrompt)
RESOLVE = Activity(wire.RESOLVE, ResolveRequest, Pins)
"""A local activity: it reads memory and, once, the store, and costs one history event."""
CONFIG = Activity(wire.CONFIG, ConstantsRequest, PinnedConstants)
"""A local activity, as `llmflow.resolve`."""
SCORE = Activity(wire.SCORE, ScoreRequest, Score)
"""A local activity: it writes one row into the store."""
REACH = Activity(wire.REACH, ReachRequest, Reach)
"""Tells the run how approvers are notified."""
NOTIFY = Activity(wire.NOTIFY, Notification, Delivered)
RECALL = Activity(wire.RECALL, RecallRequest, Recalled)
"""Scheduled by forks alone, before a question: people are not asked again what they have decided."""
STANDS = Activity(wire.STANDS, StandsRequest, Stood)
"""Scheduled by forks alone, after a saga."""
RAISE = Activity(wire.RAISE, RaiseRequest, Raised)
"""Scheduled after an approval in which a person raised a budget without room."""
SENT = Activity(wire.SENT, SentRequest, Sent)
"""Scheduled for decisions that were handled after the deadline alone."""

DECIDE = Update(wire.DECIDE, Decide, Receipt)
SPENT = Signal(wire.SPENT, UsageReport)
"""Usage of a batch child that closes without a result, sent to its parent."""
STOPPED = Signal(wire.STOPPED, Stopped)
"""Sent to a fork by one of its activities, before the request to cancel it."""

APPROVALS = Query(wire.APPROVALS, ApprovalReport)
USAGE = Query(wire.USAGE, UsageReport)
STEPS = Query(wire.STEPS, StepReport)

CARRIED = Header(wire.CARRIED, Carried)
"""Set on the start of a child and of a continue-as-new run."""
PLACE = Header(wire.PLACE, str)
"""Set on every child: its address in the parent. A fork finds the same child by it, because addresses do not depend on
the order in which branches finish."""
FORK = Header(wire.FORK, Fork)
"""Set on the activities of a forked run."""
KEY = Header(wire.KEY, str)
"""Set on an activity whose workflow gives it an idempotency key: an action and its compensation share it."""
RUN = Header(wire.RUN, str)
"""Set on every other activity that is not llmflow's: the beginning of its idempotency key, before its id. A call that
was in flight at a reset is made again with the headers of its event, but by a run with another id. Without a `/`, it is
the run id of the start, and the workflow id of the activity goes before it."""
EFFECT = Header(wire.EFFECT, bool)
"""Set on an activity that changes something outside: a tool that says so, and everything that a saga's action does."""
STREAM = Header(wire.STREAM, Stream)
"""Set on the model and tool calls of a child: their run events are in the stream of the root run."""

KEPT = Header(wire.KEPT, bool)
"""Set on the activity of an agent's tool: the store keeps its result, and the history has a preview."""

TAGS = Memo(wire.TAGS, list[str])
TENANT = Memo(wire.TENANT, str)
USER = Memo(wire.USER, str)
BUDGET = Memo(wire.BUDGET, Budget)
FORKED = Memo(wire.FORK, Fork)
"""Set at the start of a forked run."""
STOP = Memo(wire.STOPPED, Stopped)
"""The call before which a fork stopped."""
WAITING = Memo(wire.APPROVALS, WaitingList)
"""Open questions of a run; an inbox reads them without a worker."""
DECIDED = Memo(wire.DECIDED, Settled)
"""The last question that was closed. Its earlier values stay in the history, where forks find them."""
