"""Steps and compensations of a run, as tables."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from types import MappingProxyType

from rich.table import Table
from rich.text import Text

from llmflow.cli.output import cost, plural, took
from llmflow.types.addresses import around, unbranched
from llmflow.types.approvals import Question
from llmflow.types.steps import Compensation, StepRecord, causes_in_words

MARKS = MappingProxyType(
    {
        "running": ("●", "cyan"),
        "completed": ("✓", "green"),
        "failed": ("✗", "red"),
        "cancelled": ("-", "yellow"),
        "terminated": ("✗", "red"),
        "timed_out": ("✗", "red"),
        "continued_as_new": ("→", "cyan"),
        "ready": ("○", "dim"),
        "undoing": ("●", "cyan"),
        "undone": ("✓", "green"),
        "not needed": ("-", "dim"),
    }
)
"""State of a run, a step or a compensation -> its sign and its colour."""


def step_table(steps: Sequence[StepRecord]) -> Table:
    """Return the steps of a run, each above those inside it, with progress, time, cost if there is one, and error."""
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(justify="right")
    table.add_column(justify="right")
    paid = any(step.usage.calls for step in steps)
    if paid:
        table.add_column(justify="right")
        table.add_column()
    table.add_column(overflow="fold", style="red")
    for depth, name, step in _tree(steps):
        sign, colour = MARKS[step.status]
        label = Text.assemble(
            "  " * (depth + 1), (f"{sign} ", colour), name, (f" {step.label}" if step.label else "", "dim")
        )
        figures = [_progress(step), took(step.started_at, step.ended_at), *(_spent(step) if paid else ())]
        table.add_row(label, *figures, Text(step.error or causes_in_words(step.causes)))
        for title, error in _failures(step):
            table.add_row(Text.assemble("  " * (depth + 2), ("✗ ", "red"), title), *("" for _ in figures), Text(error))
    return table


def _failures(step: StepRecord) -> Iterator[tuple[str, str]]:
    """Return title and error of the failed items that the record lists, and the number of the others."""
    for one in step.failures:
        yield one.title, one.error
    if step.failures and (others := step.failed - len(step.failures)) > 0:
        yield f"and {others:,} more", ""


def compensation_table(compensations: Sequence[Compensation]) -> Table:
    """Return compensations, done and open. A failed one has the key by which the other side knows it."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for one in compensations:
        sign, colour = MARKS[one.status]
        said = Text(one.error or "", "red" if one.status == "failed" else "yellow")
        if one.status == "failed":
            said.append(f"\nkey {one.key}", "dim")
        table.add_row(Text(f"  {sign} {one.status}", colour), one.path, Text(f"by {one.name}", "dim"), said)
    return table


def decision(one: Question) -> Text:
    """Describe the outcome of a question, such as `publish#1: approved by ana, 67 s after it was asked`."""
    votes = [vote for vote in one.votes if vote.approved == (one.status == "approved")]
    said = Text.assemble("  ", (one.exact, "bold"), f": {one.status}")
    if votes and one.status in ("approved", "rejected"):
        said.append(
            f" by {', '.join(vote.by for vote in votes)}, {took(one.asked_at, votes[-1].at)} after it was asked"
        )
    return said


def _tree(steps: Sequence[StepRecord]) -> Iterator[tuple[int, str, StepRecord]]:
    """Return depth, name, and step; each above those inside it. Parallel ones began in any order."""
    known = {step.path for step in steps}
    inside: dict[str, list[StepRecord]] = defaultdict(list)
    for step in reversed(steps):
        inside[_around(step.path, known)].append(step)
    waiting = [(0, "", step) for step in inside[""]]
    while waiting:
        depth, above, step = waiting.pop()
        yield depth, step.path.removeprefix(above).removeprefix("/"), step
        waiting += [(depth + 1, step.path, one) for one in inside[step.path]]


def _around(path: str, known: Collection[str]) -> str:
    """Return the innermost known step around it: branches have none, and a long run keeps the last ones only."""
    steps = [unbranched(step) for step in around(path)]
    return next((step for step in reversed(steps) if step in known), "")


def _progress(step: StepRecord) -> str:
    failed = f", {step.failed} failed" if step.failed else ""
    if step.total is not None:
        return f"{step.done or 0}/{step.total}{failed}"
    return f"{step.done}{failed}" if step.done is not None else ""


def _spent(step: StepRecord) -> tuple[str, str]:
    calls = step.usage.calls
    return (f"{calls:,} {plural(calls, 'call')}", cost(step.usage)) if calls else ("", "")
