"""Run events: facts about a running run and its descendants, told to readers while they happen.

They are no history events of Temporal, and no record: a worker that dies, or a store that is away, loses some. The
result, the ledger and the history are the truth.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from pydantic_core import from_json

from llmflow.types.base import CompactWire
from llmflow.types.runs import RunState
from llmflow.types.steps import StepStatus
from llmflow.types.usage import Cost, Usage

__all__ = [
    "ApprovalClosed",
    "ApprovalOpened",
    "CallEnded",
    "CallStarted",
    "Event",
    "HandedOff",
    "RunEnded",
    "RunEvent",
    "RunStarted",
    "StepClosed",
    "StepOpened",
    "Stream",
    "StreamReset",
    "TextDelta",
    "ToolCalled",
    "ToolReturned",
]

MAX_PREVIEW = 1_000
"""Characters of a preview."""

Outcome = Literal["answered", "refused", "failed", "cancelled"]


class Stream(CompactWire):
    """The stream of a run: header on the activities of children. A root run needs none."""

    root: str
    """Workflow id of the root run, whose stream it is."""
    place: str = ""
    """Path of the child below the root run, such as `chapter[3]/Write#1`."""


class Event(CompactWire):
    """Fields of every run event."""

    id: str = ""
    """Deterministic id: an event that is written twice, after a retry of the write or of a workflow task, is one."""
    offset: str = ""
    """Position in the stream, for `after=`. Its form belongs to the store."""
    at: datetime
    """Time by the clock of the worker, or of the run for steps and approvals."""
    run: str = ""
    """Workflow id of the run: the root run, or one of its descendants."""
    run_id: str = ""
    path: str = ""
    """Address below the root run: `write/complete#1`, or that of a child before it: `chapter[3]/Write#1/search#1`."""


class RunStarted(Event):
    """Begin of the root run, or of a child at `path`."""

    type: Literal["run_started"] = "run_started"
    workflow: str
    """Workflow type."""
    continued: bool = False
    """True if it continues a run of the same workflow id: continue-as-new, a retry, cron."""


class RunEnded(Event):
    """End of the root run, or of a child at `path`. That of the root run is the last event."""

    type: Literal["run_ended"] = "run_ended"
    state: RunState
    error: str | None = None


class StepOpened(Event):
    """Begin of the step `path`."""

    type: Literal["step_opened"] = "step_opened"
    label: str | None = None
    """Label of the fan-out's item around it."""
    total: int | None = None
    """Expected units of work."""


class StepClosed(Event):
    """End of the step `path`."""

    type: Literal["step_closed"] = "step_closed"
    status: StepStatus
    error: str | None = None


class CallStarted(Event):
    """Begin of an attempt of the model call `path`."""

    type: Literal["call_started"] = "call_started"
    attempt: int
    """From 1."""
    model: str
    """`provider:model` that is asked."""
    prompt: str
    """Name of the prompt."""
    replaces: bool = False
    """True for a retry: the text that earlier attempts streamed at this path is void."""


class TextDelta(Event):
    """A piece of the text that the attempt of the model call `path` streams; of a typed answer, a piece of its JSON."""

    type: Literal["text_delta"] = "text_delta"
    attempt: int
    """From 1."""
    position: int
    """Characters of the answer before this piece. A gap means that pieces were dropped."""
    text: str


class CallEnded(Event):
    """End of an attempt of the model call `path`, with its cost."""

    type: Literal["call_ended"] = "call_ended"
    attempt: int
    """From 1."""
    outcome: Outcome
    model: str | None = None
    """`provider:model` that answered."""
    text: str = ""
    """Beginning of the answer, at most 1,000 characters, for readers that came too late for its deltas."""
    tools: tuple[str, ...] = ()
    """Names of the tools that the model requests."""
    usage: Usage = Usage()
    cost: Cost | None = None
    """`None` if nothing was answered."""
    error: str | None = None


class ToolCalled(Event):
    """Begin of an attempt of the tool call `path`."""

    type: Literal["tool_called"] = "tool_called"
    attempt: int
    """From 1."""
    tool: str
    arguments: str = ""
    """JSON, at most 1,000 characters of it."""


class ToolReturned(Event):
    """End of an attempt of the tool call `path`."""

    type: Literal["tool_returned"] = "tool_returned"
    attempt: int
    """From 1."""
    tool: str
    outcome: Outcome
    result: str = ""
    """JSON, at most 1,000 characters of it."""
    error: str | None = None


class ApprovalOpened(Event):
    """A question to people."""

    type: Literal["approval_opened"] = "approval_opened"
    approval: str
    """Name of the question, with its round."""
    details: str = ""
    """Beginning of its details, or of its payload as JSON."""
    approvers: tuple[str, ...] = ()
    deadline: datetime | None = None


class ApprovalClosed(Event):
    """End of a question: a decision, its deadline, or the end of the run."""

    type: Literal["approval_closed"] = "approval_closed"
    approval: str
    status: str
    """`approved`, `rejected`, `expired` or `withdrawn`."""
    by: str | None = None
    """Approver with the deciding vote."""
    comment: str = ""


class HandedOff(Event):
    """A handoff: another agent goes on."""

    type: Literal["handed_off"] = "handed_off"
    agent: str
    to: str
    why: str = ""


class StreamReset(Event):
    """The offset of the reader is not in the stream: the store was set back. The stream follows from its beginning."""

    type: Literal["stream_reset"] = "stream_reset"
    after: str
    """The offset."""


RunEvent = Annotated[
    RunStarted
    | RunEnded
    | StepOpened
    | StepClosed
    | CallStarted
    | TextDelta
    | CallEnded
    | ToolCalled
    | ToolReturned
    | ApprovalOpened
    | ApprovalClosed
    | HandedOff
    | StreamReset,
    Field(discriminator="type"),
]
"""One thing that a reader of a run is told. The JSON field `type` tells the class."""

_ANY: TypeAdapter[RunEvent] = TypeAdapter(RunEvent)


def to_line(event: RunEvent) -> str:
    """Write an event as JSON for a store, without the fields that the store has beside it."""
    return event.model_dump_json(exclude={"id", "offset"})


def from_line(line: str | bytes, id: str, offset: str) -> RunEvent:
    """Read an event of a store."""
    return _ANY.validate_python({**from_json(line), "id": id, "offset": offset})


def identified(*parts: object) -> str:
    """Make the id of an event of facts that determine it."""
    return ":".join(map(str, parts))


def preview(text: str) -> str:
    """Shorten a text for an event."""
    return text if len(text) <= MAX_PREVIEW else f"{text[: MAX_PREVIEW - 1]}…"
