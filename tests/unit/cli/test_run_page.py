"""A run as a page."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from llmflow.cli.run_page import page
from llmflow.service.approvals import decided
from llmflow.service.runs import Report
from llmflow.types.approvals import ApprovalReport, Question, Vote
from llmflow.types.runs import PendingCall, RunStatus
from llmflow.types.steps import StepRecord
from llmflow.types.usage import Totals, Usage, UsageReport

BEGAN = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def shown(report: Report, width: int = 80) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=width, highlight=False).print(page(report), crop=False)
    return [line.rstrip() for line in text.getvalue().splitlines()]


def step(path: str, seconds: float | None = 1, **more: object) -> StepRecord:
    ended = None if seconds is None else BEGAN + timedelta(seconds=seconds)
    status = "running" if seconds is None else "completed"
    return StepRecord.model_validate({"path": path, "status": status, "started_at": BEGAN, "ended_at": ended} | more)


STATUS = RunStatus(
    id="research-1",
    run_id="r",
    workflow="Research",
    state="running",
    task_queue="research",
    started_at=BEGAN,
    closed_at=BEGAN + timedelta(seconds=5),
    events=41,
)
REPORT = Report(status=STATUS, failure=None, steps=(), usage=None, missing=None, url=None)


def report(**changes: object) -> Report:
    return REPORT.model_copy(update=changes)


def test_steps_stand_below_those_around_them() -> None:
    """Parallel branches begin in any order, and must not be mixed."""
    steps = (
        step("plan"),
        step("all", 4, done=1, total=2),
        step("all/ana", 2),
        step("all/bob", 3),
        step("all/ana/ask", 1.5),
        step("all/bob/ask", None, status="failed", error="RateLimited: slow down", ended_at=BEGAN),
    )
    lines = shown(report(steps=steps))
    assert lines[3:9] == [
        "  ✓ plan          1.0 s",
        "  ✓ all      1/2  4.0 s",
        "    ✓ ana         2.0 s",
        "      ✓ ask       1.5 s",
        "    ✓ bob         3.0 s",
        "      ✗ ask        0 ms  RateLimited: slow down",
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_everything_that_is_known(width: int) -> None:
    usage = UsageReport(total=Totals(calls=2, usage=Usage(input_tokens=1234, output_tokens=5), unpriced_calls=1))
    pending = (PendingCall(id="write/complete#1", type="llmflow.complete", attempt=2, last_failure="429"),)
    url = "http://localhost:8233/" + "x" * 150
    status = STATUS.model_copy(update={"tags": ("a", "b"), "pending": pending})

    lines = shown(report(status=status, usage=usage, url=url, missing="no worker", failure="it broke"), width)

    assert lines[0] == "research-1  ● running"
    assert lines[1].startswith("Research on research · started ")
    assert "took 5.0 s" in lines[1]
    assert "41 events" in lines[1]
    assert "tags: a, b" in lines
    assert "it broke" in lines
    assert "  waits for write/complete#1  attempt 2  429" in lines
    assert "2 model calls · 1,234 tokens in · 5 out · $0 + 1 call of unknown price" in lines
    assert "steps and usage are not known: no worker" in lines
    assert url in lines, "whole, so that a click finds it"
    assert max(len(line) for line in lines if line != url) <= width


def test_a_bug_is_named() -> None:
    status = STATUS.model_copy(update={"stuck": "KeyError: 'x'"})
    assert "blocked by a bug until its code is fixed: KeyError: 'x'" in shown(report(status=status))


def test_what_is_not_known_of_a_run_with_a_bug_is_not_explained_twice() -> None:
    status = STATUS.model_copy(update={"stuck": "KeyError: 'x'"})
    lines = shown(report(status=status, missing="run 'x' cannot answer while a bug blocks it: KeyError: 'x'"))
    assert lines[-1] == "steps and usage are not known until then"


def test_what_people_decided_is_kept() -> None:
    ana = Vote(approved=True, by="ana", at=BEGAN + timedelta(seconds=67))
    asked = Question(name="publish", asked_at=BEGAN, status="approved", votes=(ana,))
    late = Question(name="pay#2", asked_at=BEGAN, status="expired", votes=(ana,))
    open_still = Question(name="ship", asked_at=BEGAN)
    known = decided(ApprovalReport(questions=(asked, late, open_still)))
    assert shown(report(decided=known))[3:5] == [
        "  publish#1: approved by ana, 1 min 7 s after it was asked",
        "  pay#2: expired",
    ]


def test_states_have_signs() -> None:
    for state, sign in {"completed": "✓", "failed": "✗", "cancelled": "-", "timed_out": "✗"}.items():
        status = STATUS.model_copy(update={"state": state})
        assert shown(report(status=status))[0] == f"research-1  {sign} {state.replace('_', ' ')}"
