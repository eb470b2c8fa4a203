"""State to carry over continue-as-new stays small."""

from datetime import UTC, datetime, timedelta

from llmflow.flow.run.steps import (
    CARRIED_ERROR,
    CARRIED_NAMES,
    CARRIED_STEPS,
    carried_names,
    carried_steps,
)
from llmflow.types.steps import StepRecord, StepStatus

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def step(path: str, status: StepStatus = "completed", error: str | None = None) -> StepRecord:
    ended = None if status == "running" else NOW
    return StepRecord(path=path, status=status, started_at=NOW, ended_at=ended, error=error)


def test_the_newest_steps_go_along_and_long_errors_are_cut() -> None:
    steps = [step(f"round#{number}", "failed", "x" * 1000) for number in range(CARRIED_STEPS + 10)]
    carried = carried_steps(steps, (), NOW)
    assert [one.path for one in carried] == [one.path for one in steps[10:]]
    assert {one.error for one in carried} == {"x" * CARRIED_ERROR}


def test_steps_around_the_end_are_completed_and_others_given_up() -> None:
    later = NOW + timedelta(seconds=3)
    steps = [step("loop", "running"), step("loop/a"), step("loop/b", "running"), step("other", "running")]
    carried = carried_steps(steps, ("loop", "b"), later)
    assert [(one.path, one.status, one.ended_at) for one in carried] == [
        ("loop", "completed", later),
        ("loop/a", "completed", NOW),
        ("loop/b", "completed", later),
        ("other", "cancelled", later),
    ]


def test_numbers_inside_of_steps_are_not_needed_again() -> None:
    steps = {path: step(path) for path in ("loop", "loop/round", "find", "find#2")}
    names = {
        "step loop": 1,
        "loop/step round": 2,
        "loop/round/complete": 4,
        "step find": 2,
        "find#2[3]/search": 1,
        "complete": 3,
        "other/complete": 1,
    }
    assert carried_names(names, steps) == {"step loop": 1, "step find": 2, "complete": 3, "other/complete": 1}


def test_the_names_that_were_used_last_go_along() -> None:
    names = {f"step {number}": 1 for number in range(CARRIED_NAMES + 1)}
    carried = carried_names(names, {})
    assert len(carried) == CARRIED_NAMES
    assert "step 0" not in carried
