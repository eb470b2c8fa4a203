"""Run events of model and tool calls."""

import asyncio
from collections.abc import Collection
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from llmflow.activities.events.log import EventLog
from llmflow.types.addresses import joined
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.contracts import COMPLETE, STREAM
from llmflow.types.events import (
    CallEnded,
    CallStarted,
    Outcome,
    Stream,
    TextDelta,
    ToolCalled,
    ToolReturned,
    identified,
    preview,
)
from llmflow.types.providers import DeltaSink, NoDeltas
from llmflow.types.texts import one_line

MOST = 100_000
"""Characters of a streaming answer that wait for a reader. Of a longer one, the first are dropped."""

deltas: ContextVar[DeltaSink] = ContextVar("llmflow_deltas", default=NoDeltas())  # noqa: B039 - it has no state
"""Receives the pieces of the answer of the model call in whose activity it is read."""


class CallEvents(Interceptor):
    """Tells the begin and the end of each model and tool call. Reused results of forks are no calls."""

    def __init__(self, log: EventLog, tools: Collection[str]) -> None:
        self._log = log
        self._tools = frozenset(tools)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See base class."""
        return _Telling(next, self._log, self._tools)


class _Telling(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, log: EventLog, tools: frozenset[str]) -> None:
        super().__init__(next)
        self._log = log
        self._tools = tools

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # Any: the activity's own result
        """See base class."""
        info = activity.info()
        if info.workflow_id is None or not (info.activity_type == COMPLETE.name or info.activity_type in self._tools):
            return await super().execute_activity(input)
        here = STREAM.read(input.headers, activity.payload_converter()) or Stream(root=info.workflow_id)
        if info.activity_type != COMPLETE.name:
            return await self._tool(_Place(here, info), input)
        return await self._complete(_Place(here, info), input)

    async def _complete(self, place: "_Place", input: ExecuteActivityInput) -> CompletionResult:
        request: CompletionRequest = input.args[0]
        facts, model, prompt = place.facts, request.model, request.prompt.name
        started = CallStarted(**facts("call_started"), model=model, prompt=prompt, replaces=place.attempt > 1)
        self._log.tell(place.stream, started)
        sink = _Deltas(place, self._log)
        deltas.set(sink)  # never reset: each activity runs in its own task
        self._log.begin(sink)
        try:
            result: CompletionResult = await super().execute_activity(input)
        except BaseException as error:
            self._log.end(sink)
            ended = CallEnded(**facts("call_ended"), outcome=_outcome(error), error=_said(error))
            self._log.tell(place.stream, ended)
            raise
        sink.whole(result.text)
        self._log.end(sink)
        ended = CallEnded(
            **facts("call_ended"),
            outcome="refused" if result.finish_reason == "refused" else "answered",
            model=result.model,
            text=preview(result.text),
            tools=tuple(call.name for call in result.tool_calls),
            usage=result.usage,
            cost=result.cost,
        )
        self._log.tell(place.stream, ended)
        return result

    async def _tool(self, place: "_Place", input: ExecuteActivityInput) -> Any:  # Any: the tool's own result
        tool, facts = place.type, place.facts
        arguments = _json(input.args[0]) if input.args else ""
        self._log.tell(place.stream, ToolCalled(**facts("tool_called"), tool=tool, arguments=arguments))
        try:
            result = await super().execute_activity(input)
        except BaseException as error:
            failed = ToolReturned(**facts("tool_returned"), tool=tool, outcome=_outcome(error), error=_said(error))
            self._log.tell(place.stream, failed)
            raise
        returned = ToolReturned(**facts("tool_returned"), tool=tool, outcome="answered", result=_json(result))
        self._log.tell(place.stream, returned)
        return result


class _Place:
    """Facts about an attempt that its events share."""

    def __init__(self, here: Stream, info: activity.Info) -> None:
        self.stream = here.root
        self.attempt = info.attempt
        self.type = info.activity_type
        self._path = joined(filter(None, (here.place, info.activity_id)))
        self._run, self._run_id = info.workflow_id or "", info.workflow_run_id or ""
        # A call that a worker refused, because it lacks something, is made again with the same id and attempt.
        scheduled = round(info.scheduled_time.timestamp() * 1000)
        self._same = (self._run_id, info.activity_id, scheduled, info.attempt)

    def facts(self, type: str, position: int = 0) -> dict[str, Any]:  # Any: values of several fields
        """Return the fields that all events of the attempt have."""
        return {
            "id": identified(type, *self._same, position),
            "at": datetime.now(UTC),
            "run": self._run,
            "run_id": self._run_id,
            "path": self._path,
            "attempt": self.attempt,
        }


class _Deltas:
    """The sink of a call: it keeps the pieces until they are taken, and drops the first of too many."""

    def __init__(self, place: _Place, log: EventLog) -> None:
        self._place = place
        self._log = log
        self._pieces: list[str] = []
        self._size = self._position = 0
        self._is_first = True

    @property
    def stream(self) -> str:
        """See `Pieces`."""
        return self._place.stream

    @property
    def is_new(self) -> bool:
        """See `Pieces`."""
        return bool(self._pieces)

    def text(self, piece: str) -> None:
        """See `DeltaSink.text`."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > 2 * MOST:
            self._cut()
        self._log.heard(self, is_first=self._is_first)
        self._is_first = False

    def whole(self, text: str) -> None:
        """Take an answer that did not come in pieces."""
        if self._is_first and text:
            self._is_first = False
            self._pieces, self._size = [text], len(text)

    def take(self) -> TextDelta | None:
        """See `Pieces`."""
        if not self._pieces:
            return None
        self._cut()
        [text] = self._pieces
        event = TextDelta(**self._place.facts("text_delta", self._position), position=self._position, text=text)
        self._pieces, self._position, self._size = [], self._position + len(text), 0
        return event

    def give_back(self, taken: TextDelta) -> None:
        """See `Pieces`."""
        self._pieces, self._position = [taken.text, *self._pieces], taken.position
        self._size += len(taken.text)

    def _cut(self) -> None:
        text = "".join(self._pieces)
        dropped = max(len(text) - MOST, 0)
        self._pieces, self._position, self._size = [text[dropped:]], self._position + dropped, len(text) - dropped


def _outcome(error: BaseException) -> Outcome:
    return "cancelled" if isinstance(error, asyncio.CancelledError) else "failed"


def _said(error: BaseException) -> str | None:
    if isinstance(error, asyncio.CancelledError):
        return None
    return preview(one_line(f"{type(error).__name__}: {error}"))


def _json(value: object) -> str:
    """Write the beginning of a value; a tool checks by itself if it is JSON."""
    try:
        return preview(to_json(value, fallback=str).decode(errors="replace"))
    except ValueError:
        return ""
