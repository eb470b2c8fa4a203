"""Screens of the command line, as people see them: `python -m tests.helpers.screens` writes them anew."""

import io
import os
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from rich.console import RenderableType

from llmflow.cli.commands.approvals.list import inbox_table
from llmflow.cli.commands.cost import cost_table
from llmflow.cli.commands.runs import run_table
from llmflow.cli.commands.status import usage_table
from llmflow.cli.output import SafeConsole
from llmflow.cli.run_page import page
from llmflow.errors import Remedy
from llmflow.service.obstacles import Obstacle
from llmflow.service.runs import Report
from llmflow.types.approvals import Waiting
from llmflow.types.reports import CallFilter, CostReport, CostRow, Dimension, Spent
from llmflow.types.runs import InboxItem, RunPage, RunStatus
from llmflow.types.steps import ItemFailure, StepRecord
from llmflow.types.usage import Totals, Usage, UsageReport

FOLDER = Path(__file__).parent.parent / "unit" / "cli" / "screens"
WIDTHS = (80, 120)
_BEGAN = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
_MODEL = "openrouter:meta-llama/llama-3.3-70b-instruct"
_URL = "http://localhost:8233/namespaces/default/workflows/claims-calm-otter-7f3a/0198c2aa-72c3-7d0e-b2c1-4f3a5b6c7d8e"


@contextmanager
def _utc() -> Generator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


def screen(name: str, width: int) -> str:
    """Render a screen, in UTC."""
    text = io.StringIO()
    with _utc():
        SafeConsole(file=text, width=width).print(_SCREENS[name](), crop=False)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _cost(*by: Dimension, failed: int = 0, more: int = 0) -> CostReport:
    """Spent by the words; `more` fills all columns."""
    usage = Usage(input_tokens=123_456, output_tokens=4_321, cache_read_tokens=more)
    spent = {"calls": 40 + failed, "usage": usage, "usd": Decimal("1.2345"), "failed_calls": failed}
    spent |= {"unpriced_calls": more, "lost_calls": more, "unasked_calls": more}
    values: dict[Dimension, str] = {"error": "RateLimited", "model": _MODEL, "prompt": "claims/classify@3f2a1b4c5d6e"}
    return CostReport(
        filter=CallFilter(),
        by=by,
        rows=(CostRow.model_validate({"key": {one: values[one] for one in by}, **spent}),),
        total=Spent.model_validate(spent),
    )


def _status(**more: object) -> RunStatus:
    return RunStatus.model_validate(
        {
            "id": "claims-calm-otter-7f3a",
            "run_id": "r",
            "workflow": "SettleClaims",
            "state": "running",
            "task_queue": "claims",
            "started_at": _BEGAN,
            "closed_at": _BEGAN + timedelta(minutes=5),
            "events": 412,
        }
        | more
    )


def _runs() -> RunPage:
    forked = {"id": "claims-calm-otter-7f3a-fork-2b", "forked_from": "claims-calm-otter-7f3a"}
    tags = ("customer:acme", "quarter:2026-Q4", "reviewed")
    return RunPage(
        runs=(
            _status(tags=tags),
            _status(**forked, state="failed"),
            _status(id="claims-calm-otter-7f3a-settle-0-499", parent="claims-calm-otter-7f3a", state="completed"),
        )
    )


def _plain_runs() -> RunPage:
    return RunPage(runs=(_status(), _status(id="claims-brave-finch-1c2d", state="timed_out")))


def _long_ago() -> datetime:
    """Return a moment that is always the same time ago."""
    return datetime.now(UTC) - timedelta(days=3, hours=4, minutes=30)


def _waiting(name: str) -> Waiting:
    return Waiting(
        name=name,
        title="Pay EUR 12,400.00 to Meyer & Sons for claim C-1042?",
        approvers=("ana@example.com", "bo@example.com"),
        asked_at=_long_ago(),
        deadline=datetime.now(UTC) + timedelta(days=2, hours=5, minutes=30),
    )


def _inbox() -> Sequence[InboxItem]:
    return [
        InboxItem(
            run="claims-calm-otter-7f3a",
            run_id="r",
            workflow="SettleClaims",
            waiting=_waiting("pay-C-1042"),
            tags=("customer:acme",),
        ),
        InboxItem(run="claims-brave-finch-1c2d", run_id="r", workflow="SettleClaims", waiting=_waiting("pay-C-1043")),
    ]


def _step(path: str, seconds: float | None, **more: object) -> StepRecord:
    ended = None if seconds is None else _BEGAN + timedelta(seconds=seconds)
    status = "running" if seconds is None else "completed"
    return StepRecord.model_validate({"path": path, "status": status, "started_at": _BEGAN, "ended_at": ended} | more)


def _fan_out() -> Report:
    """A run with 40 items in two steps each, of which one failed, and one failed inside and was repaired."""
    once = Totals(calls=1, usage=Usage(input_tokens=3000, output_tokens=100), usd=Decimal("0.0021"))
    broken, repaired = {7: "BudgetExceeded: the run has spent $1.00 of $1.00"}, {31: "ToolRefused: no such claim"}
    steps = [_step("read", 2), _step("settle", 290, done=40, total=40, failed=1)]
    failures = (ItemFailure(index=7, label="C-1049", error=broken[7]),)
    steps[1] = steps[1].model_copy(update={"failures": failures, "causes": {"BudgetExceeded": 1}})
    for item in range(40):
        label, error = f"C-{1042 + item}", (broken | repaired).get(item)
        failed = {"status": "failed", "error": error} if error else {}
        steps += [
            _step(f"settle[{item}]/classify", 4 + item, label=label, usage=once),
            _step(f"settle[{item}]/extract", 9 + item, label=label, usage=once, **failed),
        ]
    steps.append(_step("report", None, started_at=_long_ago()))
    asked = _waiting("pay-C-1042").model_copy(update={"asked_at": _BEGAN, "deadline": _BEGAN + timedelta(days=1)})
    totals = Totals(calls=80, usage=Usage(input_tokens=240_000, output_tokens=8000), usd=Decimal("0.168"))
    remedy = Remedy(action="start_worker", task_queue="payments")
    return Report(
        status=_status(approvals=(asked,), tags=("customer:acme",), forked_from="claims-brave-finch-1c2d"),
        failure=None,
        steps=tuple(steps),
        obstacles=(Obstacle(reason="no worker serves task queue payments for pay#1", remedy=remedy),),
        usage=UsageReport(total=totals),
        missing=None,
        url=_URL,
    )


def _usage() -> UsageReport:
    total = Totals(calls=80, usage=Usage(input_tokens=240_000, output_tokens=8000), usd=Decimal("0.168"))
    prompts = {"claims/classify@3f2a1b4c5d6e": total, "claims/extract@aa2a1b4c5d6e": total}
    return UsageReport(total=total, by_model={_MODEL: total}, by_prompt=prompts)


def _cost_by_error() -> RenderableType:
    return cost_table(_cost("error", "model", failed=3))


def _cost_in_full() -> RenderableType:
    return cost_table(_cost("error", "model", "prompt", failed=3, more=12_345))


_SCREENS = {
    "cost": lambda: cost_table(_cost("model")),
    "cost-by-error-and-model": _cost_by_error,
    "cost-in-full": _cost_in_full,
    "list": lambda: run_table(_plain_runs()),
    "list-with-tags": lambda: run_table(_runs()),
    "approvals": lambda: inbox_table(_inbox()),
    "status": lambda: page(_fan_out()),
    "usage": lambda: usage_table(_usage()),
}
NAMES = tuple(_SCREENS)

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for one in NAMES:
        for columns in WIDTHS:
            (FOLDER / f"{one}-{columns}.txt").write_text(screen(one, columns), "utf-8")
