"""Steps and compensations of a run, as tables."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from types import MappingProxyType

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from llmflow.cli.item_steps import collapsed
from llmflow.cli.output import cost, plural, took
from llmflow.types.addresses import around, unbranched
from llmflow.types.approvals import Question
from llmflow.types.steps import Compensation, StepRecord, causes_in_words

_APART = 2
_NUMBERS = (1, 2, 3)
"""Columns of progress, time and calls; the cost beside them may be words."""
_READABLE = 30
"""Width below which an error is not read with ease, in columns."""
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


def step_table(steps: Sequence[StepRecord]) -> RenderableType:
    """Return the steps of a run, each above those inside it, with progress, time, cost if there is one, and error."""
    paid = any(step.usage.calls for step in steps)
    table = _StepTable(columns=4 if paid else 2)
    for depth, name, step in _tree(steps):
        sign, colour = MARKS[step.status]
        label = Text.assemble((f"{sign} ", colour), name, (f" {step.label}" if step.label else "", "dim"))
        figures = [_progress(step), took(step.started_at, step.ended_at), *(_spent(step) if paid else ())]
        table.add(depth, label, figures, step.error or causes_in_words(step.causes))
        for title, error in _failures(step):
            table.add(depth + 1, Text.assemble(("✗ ", "red"), title), [], error)
    return table


class _StepTable:
    """Rows of a step, its figures and its error. The errors stand below the steps on a screen without room for them."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._rows: list[tuple[Text, list[Text], Text]] = []

    def add(self, depth: int, label: Text, figures: Sequence[str], error: str) -> None:
        cells = [*map(Text, figures), *(Text() for _ in range(self._columns - len(figures)))]
        self._rows.append((Text("  " * (depth + 1)).append_text(label), cells, Text(error, "red")))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = zip(*((label, *figures) for label, figures, _ in self._rows), strict=True)
        widths = [max(cell.cell_len for cell in column) for column in columns]
        room = options.max_width - sum(widths) - _APART * (len(widths) + 1)
        if room >= min(_READABLE, max((error.cell_len for *_, error in self._rows), default=0)):
            grid = _grid(widths)
            for label, figures, error in self._rows:
                grid.add_row(label, *figures, error)
            yield grid
            return
        widths[0] = min(widths[0], max(_READABLE, widths[0] + room))
        for label, figures, error in self._rows:
            indent = label.cell_len - len(label.plain.lstrip()) + 2
            if any(figures):
                grid = _grid(widths)
                grid.add_row(label, *figures)
                yield grid
                if error:
                    yield Padding(error, (0, 0, 0, indent))
            else:
                yield Padding(Text.assemble(label[indent - 2 :], "  ", error), (0, 0, 0, indent - 2))


def _grid(widths: Sequence[int]) -> Table:
    grid = Table.grid(padding=(0, _APART))
    for at, width in enumerate(widths):
        grid.add_column(justify="right" if at in _NUMBERS else "left", overflow="fold", min_width=width)
    grid.add_column(overflow="fold")
    return grid


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
    known = {step.path: step for step in steps}
    inside: dict[str, list[StepRecord]] = defaultdict(list)
    for step in reversed(steps):
        inside[_around(step.path, known)].append(step)
    waiting = [(0, "", step) for step in collapsed("", inside[""], known)]
    while waiting:
        depth, above, step = waiting.pop()
        yield depth, step.path.removeprefix(above).removeprefix("/"), step
        waiting += [(depth + 1, step.path, one) for one in collapsed(step.path, inside[step.path], known)]


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
