"""`llmflow watch` as a person sees it: lines of events, and the text of one call at a time."""

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from llmflow.cli.event_lines import EventLines
from llmflow.cli.output import SafeConsole
from llmflow.types.events import (
    ApprovalClosed,
    ApprovalOpened,
    CallEnded,
    CallStarted,
    HandedOff,
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
from llmflow.types.usage import Cost, Usage

BEGAN = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)
MODEL = "openai:gpt-5.4"
COST = Cost(usd=Decimal("0.0042"), source="list")


def shown(*events: RunEvent) -> list[str]:
    """The lines of these events, without their time; that of another day has a date."""
    file = io.StringIO()
    lines = EventLines(SafeConsole(file=file, width=100), "book-1")
    for event in events:
        lines.add(event)
    return [line.partition("  ")[2] if line[:2].isdigit() else line for line in file.getvalue().splitlines()]


def at(seconds: float, path: str = "") -> dict[str, Any]:
    return {"at": BEGAN + timedelta(seconds=seconds), "path": path, "run": "book-1"}


def called(path: str, seconds: float = 0, attempt: int = 1) -> CallStarted:
    return CallStarted(**at(seconds, path), attempt=attempt, model=MODEL, prompt="live/write", replaces=attempt > 1)


def wrote(path: str, text: str, attempt: int = 1) -> TextDelta:
    return TextDelta(**at(1, path), attempt=attempt, position=0, text=text)


def answered(path: str, text: str, seconds: float = 2) -> CallEnded:
    usage = Usage(output_tokens=20)
    return CallEnded(**at(seconds, path), attempt=1, outcome="answered", model=MODEL, text=text, usage=usage, cost=COST)


def test_a_run() -> None:
    lines = shown(
        RunStarted(**at(0), workflow="Book"),
        StepOpened(**at(0, "write")),
        called("write/complete#1"),
        wrote("write/complete#1", "Sagas undo "),
        wrote("write/complete#1", "what was done."),
        answered("write/complete#1", "Sagas undo what was done."),
        ToolCalled(**at(2, "write/count#1"), attempt=1, tool="count", arguments='{"text":"Sagas"}'),
        ToolReturned(**at(2.5, "write/count#1"), attempt=1, tool="count", outcome="answered", result="5"),
        StepClosed(**at(3, "write"), status="completed"),
        ApprovalOpened(**at(3, "approval publish#1"), approval="publish", details="Is it\ngood?", approvers=("ana",)),
        ApprovalClosed(**at(63, "approval publish#1"), approval="publish", status="approved", by="ana", comment="yes"),
        HandedOff(**at(64, "agent"), agent="triage", to="refunds", why="it is about money"),
        RunEnded(**at(65), state="completed"),
    )
    assert lines == [
        "▶ Book",
        "┌ write",
        "… write/complete#1  openai:gpt-5.4",
        "Sagas undo what was done.",
        "✓ write/complete#1  20 tokens · $0.0042 · 2.0 s",
        '… write/count#1  {"text":"Sagas"}',
        "✓ write/count#1  5  500 ms",
        "✓ write  3.0 s",
        "? approval publish#1  asks ana: Is it␊good?",
        "  llmflow approvals approve book-1 publish",
        "✓ approval publish#1  approved by ana: yes  1 min 0 s",
        "→ agent  triage hands over to refunds: it is about money",
        "✓ completed  1 min 5 s",
    ]


def test_of_parallel_calls_one_streams() -> None:
    lines = shown(
        called("a/complete#1"),
        called("b/complete#1"),
        wrote("b/complete#1", "B begins, "),
        wrote("a/complete#1", "A has it all."),
        wrote("b/complete#1", "and ends."),
        answered("b/complete#1", "B begins, and ends."),
        answered("a/complete#1", "A has it all."),
    )
    assert lines == [
        "… a/complete#1  openai:gpt-5.4",
        "… b/complete#1  openai:gpt-5.4",
        "B begins, and ends.",
        "✓ b/complete#1  20 tokens · $0.0042 · 2.0 s",
        "          a/complete#1 writes",
        "A has it all.",
        "✓ a/complete#1  20 tokens · $0.0042 · 2.0 s",
    ]


def test_a_retry_replaces_and_a_late_reader_sees_the_beginning() -> None:
    lines = shown(
        called("complete#1"),
        wrote("complete#1", "Wrong"),
        CallEnded(**at(1, "complete#1"), attempt=1, outcome="failed", error="AnswerLost: cut off"),
        called("complete#1", 2, attempt=2),
        answered("complete#1", "Right.", 4),
        StreamReset(at=BEGAN, after="7-01234567"),
        RunEnded(**at(5), state="failed", error="it\nfailed"),
    )
    assert lines == [
        "… complete#1  openai:gpt-5.4",
        "Wrong",
        "✗ complete#1  AnswerLost: cut off · 1.0 s",
        "↻ complete#1  openai:gpt-5.4  attempt 2: it replaces the text above",
        "Right.",
        "✓ complete#1  20 tokens · $0.0042 · 2.0 s",
        "! the store was set back: its events follow from their beginning",
        "✗ failed: it␊failed",
    ]


@pytest.mark.parametrize("odd", ["\x1b[2J", "\r", "\u202e"])
def test_text_of_strangers_does_not_act(odd: str) -> None:
    lines = shown(
        called(f"{odd}#1"),
        wrote(f"{odd}#1", f"{odd} text"),
        CallEnded(**at(1, f"{odd}#1"), attempt=1, outcome="failed", error=odd),
        ToolReturned(**at(1, odd), attempt=1, tool=odd, outcome="answered", result=odd),
        ApprovalOpened(**at(1, odd), approval=odd, details=odd, approvers=(odd,)),
        ApprovalClosed(**at(1, odd), approval=odd, status="rejected", by=odd, comment=odd),
        HandedOff(**at(1, odd), agent=odd, to=odd, why=odd),
        StepOpened(**at(1, odd), label=odd),
        RunStarted(**at(1, odd), workflow=odd),
        RunEnded(**at(1, odd), state="failed", error=odd),
    )
    assert len(lines) == 11
    assert not any(odd in line for line in lines)
