"""Run events as people read them: a line for each, and the text of one call at a time while it streams."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Console
from rich.text import Text

from llmflow.cli.output import duration, when
from llmflow.cli.step_tables import MARKS
from llmflow.types.events import (
    ApprovalClosed,
    ApprovalOpened,
    CallEnded,
    CallStarted,
    HandedOff,
    Outcome,
    RunEnded,
    RunEvent,
    RunStarted,
    StepClosed,
    StepOpened,
    StreamReset,
    TextDelta,
    ToolCalled,
    ToolReturned,
)
from llmflow.types.texts import command_line, one_line
from llmflow.types.usage import dollars

_WIDEST = 200
"""Characters of arguments, results and errors in a line."""


@dataclass
class _Call:
    """A model call that is open."""

    at: datetime
    text: str = ""
    shown: int = 0
    """Characters of the text on the screen."""


@dataclass
class EventLines:
    """Prints events. Of parallel calls, the first one streams, and the others show their text when they end."""

    console: Console
    root: str
    """Workflow id of the root run."""
    _calls: dict[str, _Call] = field(default_factory=dict[str, _Call])
    _begun: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _streams: str | None = None
    """Path of the call that streams."""
    _heading: str | None = None
    """Path of the call whose line is the last on the screen, above its text."""
    _is_in_text: bool = False

    def add(self, event: RunEvent) -> None:
        """Print an event."""
        match event:
            case TextDelta():
                self._delta(event)
            case CallStarted():
                self._started(event)
            case CallEnded():
                self._ended(event)
            case _:
                for sign, style, what in _said(event, self.root, self._since):
                    self._line(event.at, sign, style, event.path if sign else "", what)

    def _since(self, event: RunEvent, *, begins: bool = False) -> str:
        """Note the begin of a step, run, tool or question, or return the time since then."""
        key = event.approval if isinstance(event, ApprovalOpened | ApprovalClosed) else event.path
        if begins:
            self._begun[key] = event.at
            return ""
        began = self._begun.pop(key, None)
        return f"  {duration(event.at - began)}" if began else ""

    def _started(self, event: CallStarted) -> None:
        self._calls[event.path] = _Call(event.at)
        if self._streams == event.path:
            self._streams = None
        again = f"  attempt {event.attempt}: it replaces the text above" if event.replaces else ""
        self._line(event.at, "↻" if event.replaces else "…", "cyan", event.path, f"{event.model}{again}")
        self._heading = event.path

    def _delta(self, event: TextDelta) -> None:
        call = self._calls.setdefault(event.path, _Call(event.at))
        call.text += event.text
        if self._streams is None:
            self._streams = event.path
        if self._streams == event.path:
            self._text(event.path, call)

    def _ended(self, event: CallEnded) -> None:
        call = self._calls.pop(event.path, None) or _Call(event.at)
        call.text = call.text or event.text
        if event.outcome in ("answered", "refused"):
            self._text(event.path, call)
        if self._streams == event.path:
            self._streams = None
        cost = event.cost and (dollars(event.cost.usd) if event.cost.usd is not None else "of unknown price")
        tokens = f"{event.usage.output_tokens:,} tokens" if event.cost else None
        tools = f"requests {', '.join(event.tools)}" if event.tools else None
        error = event.error and one_line(event.error)[:_WIDEST]
        facts = (error or None, tools, tokens, cost, duration(event.at - call.at))
        sign, style = _MARK_OF[event.outcome]
        self._line(event.at, sign, style, event.path, " · ".join(filter(None, facts)))

    def _text(self, path: str, call: _Call) -> None:
        piece, call.shown = call.text[call.shown :], len(call.text)
        if not piece:
            return
        if not self._is_in_text and self._heading != path:
            self.console.print(Text(f"          {path} writes", "dim"), soft_wrap=True)
        self._heading, self._is_in_text = path, True
        self.console.print(Text(piece), end="", soft_wrap=True)

    def _line(self, at: datetime, sign: str, style: str, path: str, what: str) -> None:
        if self._is_in_text:
            self.console.print()
        self._heading, self._is_in_text = None, False
        head = Text.assemble((f"{when(at)}  ", "dim"), (sign or " ", style), " ", (path, "bold" if path else ""))
        self.console.print(Text.assemble(head, "  " if path and what else "", what), soft_wrap=True)


_MARK_OF: Mapping[Outcome, tuple[str, str]] = {
    "answered": MARKS["completed"],
    "refused": ("✗", "yellow"),
    "failed": MARKS["failed"],
    "cancelled": MARKS["cancelled"],
}

_Line = tuple[str, str, str]


def _said(event: RunEvent, root: str, since: Callable[..., str]) -> Iterator[_Line]:
    """Return sign, style and words of an event that is no part of a model call."""
    match event:
        case RunStarted():
            since(event, begins=True)
            yield "▶", "cyan", f"{event.workflow}{' continues' if event.continued else ''}"
        case RunEnded():
            yield (*MARKS[event.state], f"{event.state.replace('_', ' ')}{_error(event.error)}{since(event)}")
        case StepOpened():
            since(event, begins=True)
            yield "┌", "cyan", event.label or ""
        case StepClosed():
            status = "" if event.status == "completed" else event.status
            yield (*MARKS[event.status], f"{status}{_error(event.error)}{since(event)}".strip())
        case ToolCalled():
            since(event, begins=True)
            again = f"attempt {event.attempt}  " if event.attempt > 1 else ""
            yield "…", "cyan", f"{again}{one_line(event.arguments)[:_WIDEST]}"
        case ToolReturned():
            result = one_line(event.error or event.result)[:_WIDEST]
            yield (*_MARK_OF[event.outcome], f"{result}{since(event)}")
        case _:
            yield from _of_people(event, root, since)


def _of_people(event: RunEvent, root: str, since: Callable[..., str]) -> Iterator[_Line]:
    match event:
        case ApprovalOpened():
            since(event, begins=True)
            who = ", ".join(event.approvers) or "anyone"
            run = event.run or root
            yield "?", "yellow", f"asks {who}: {one_line(event.details)[:_WIDEST]}"
            yield "", "", command_line("llmflow", "approvals", "approve", run, event.approval)
        case ApprovalClosed():
            by = f" by {event.by}" if event.by else ""
            comment = f": {one_line(event.comment)[:_WIDEST]}" if event.comment else ""
            sign, style = MARKS["completed"] if event.status == "approved" else ("✗", "yellow")
            yield sign, style, f"{event.status}{by}{comment}{since(event)}"
        case HandedOff():
            yield "→", "cyan", f"{event.agent} hands over to {event.to}{f': {event.why}' if event.why else ''}"
        case StreamReset():
            yield "!", "yellow", "the store was set back: its events follow from their beginning"
        case _:
            return


def _error(error: str | None) -> str:
    return f": {one_line(error)[:_WIDEST]}" if error else ""
