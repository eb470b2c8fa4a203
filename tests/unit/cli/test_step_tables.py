"""Steps and compensations of a run, as tables."""

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from rich.console import Console, RenderableType

from llmflow.cli.step_tables import compensation_table, step_table
from llmflow.types.steps import Compensation, StepRecord
from llmflow.types.usage import Cost, Totals, Usage

BEGAN = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def shown(table: RenderableType) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=100, highlight=False).print(table, crop=False)
    return [line.rstrip() for line in text.getvalue().splitlines()]


def step(path: str, **more: object) -> StepRecord:
    whole = {"path": path, "status": "completed", "started_at": BEGAN, "ended_at": BEGAN + timedelta(seconds=2)}
    return StepRecord.model_validate(whole | more)


def test_what_steps_cost_stands_beside_them() -> None:
    once = Totals().plus(Usage(), Cost(usd=Decimal("0.0123"), source="test"))
    twice = once.plus(Usage(), Cost(source="test"))
    assert shown(step_table([step("plan", usage=once), step("write", usage=twice, done=2, total=2), step("end")])) == [
        "  ✓ plan        2.0 s   1 call  $0.012",
        "  ✓ write  2/2  2.0 s  2 calls  $0.012 + 1 call of unknown price",
        "  ✓ end         2.0 s",
    ]


def test_units_that_failed_are_counted() -> None:
    steps = [step("quote", done=3, total=3, failed=1), step("walk", done=2, failed=2), step("end", done=1, total=1)]
    assert shown(step_table(steps)) == [
        "  ✓ quote  3/3, 1 failed  2.0 s",
        "  ✓ walk     2, 2 failed  2.0 s",
        "  ✓ end              1/1  2.0 s",
    ]


def test_steps_whose_parents_have_no_record() -> None:
    """Branches of a fan-out are not steps, and a long run drops its first ones."""
    assert shown(
        step_table([step("find"), step("find[3]/search"), step("loop/round#9"), step("loop/round#9/ask")])
    ) == [
        "  ✓ find            2.0 s",
        "    ✓ [3]/search    2.0 s",
        "  ✓ loop/round#9    2.0 s",
        "    ✓ ask           2.0 s",
    ]


def test_what_is_not_undone_says_under_which_key_it_is_known() -> None:
    records = [
        Compensation(name="cancel", path="trip/book", key="run/1/trip/book", status="undone"),
        Compensation(name="cancel", path="trip/book#2", key="run/1/trip/book#2", status="failed", error="E: late"),
    ]
    assert shown(compensation_table(records)) == [
        "  ✓ undone  trip/book    by cancel",
        "  ✗ failed  trip/book#2  by cancel  E: late",
        "                                    key run/1/trip/book#2",
    ]
