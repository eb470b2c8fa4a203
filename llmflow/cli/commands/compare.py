"""`llmflow compare`: two runs side by side."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Annotated, NamedTuple

import typer
from rich.table import Table
from rich.text import Text

from llmflow.cli.bridge import run
from llmflow.cli.hints import hint
from llmflow.cli.options import AsJson, RunId
from llmflow.cli.output import cost, out, plural, print_json, say, took
from llmflow.cli.target import connected
from llmflow.service.comparisons import Compared, RunComparison
from llmflow.service.comparisons import compare_runs as runs_compared
from llmflow.service.runs import Report
from llmflow.types.base import plain
from llmflow.types.refs import PromptRef
from llmflow.types.steps import StepRecord
from llmflow.types.usage import Totals, UsageReport

_SIGN = Text("≠", "yellow")


class Row(NamedTuple):
    """Aspect that is compared, with its value in each run."""

    name: str
    left: str
    right: str
    differs: bool


def compare_runs(
    run_id: RunId,
    other: Annotated[str, typer.Argument(metavar="RUN", help="Id of the other run, such as a fork of it")],
    *,
    as_json: AsJson = False,
) -> None:
    """Compare two runs: input, output, cost, tokens, prompts, models and steps side by side.

    Differences have a `≠`; lines that both inputs or both outputs have are left out. Cost, prompts and models include
    those of their children. They come from a worker.

    Example: llmflow compare research-calm-otter-7f3a research-calm-otter-7f3a-fork-0d9e21
    """
    found = run(_compare(run_id, other))
    if as_json:
        print_json(found)
        return
    one, two = found.runs
    for compared in (one, two):
        if compared.report.missing:
            say(f"{compared.report.status.id}: {compared.report.missing}{hint(compared.report.remedy)}", "yellow")
        if not compared.knows_input:
            say(f"{compared.report.status.id}: Temporal no longer has its start, so its input is not known", "yellow")
    out.print(_table(one, two), crop=False)
    for name, left, right, same in (
        ("input", _text(one.input), _text(two.input), found.same_input),
        ("output", _output(one), _output(two), found.same_result),
    ):
        if same is None:
            continue
        out.print()
        out.print(Text(f"the same {name}" if same else name, "dim"))
        out.print(Text(left) if same else _apart(left, right), crop=False)


async def _compare(one: str, two: str) -> RunComparison:
    return await runs_compared(await connected(), one, two)


def _table(one: Compared, two: Compared) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("")
    table.add_column(one.report.status.id, overflow="fold")
    table.add_column("")
    table.add_column(two.report.status.id, overflow="fold")
    for title, rows in _sections(one.report, two.report):
        if title and rows:
            table.add_row()
            table.add_row(title, style="dim")
        for row in rows:
            sign = _SIGN if row.differs else ""
            table.add_row(f"  {row.name}" if title else row.name, row.left, sign, row.right)
    return table


def _sections(one: Report, two: Report) -> Iterator[tuple[str, Sequence[Row]]]:
    left, right = _Figures(one), _Figures(two)
    names = {**left.run, **right.run}
    marked = (left.run.keys() & right.run.keys()) - {"took"}  # an unknown value is not a difference
    yield "", [_row(name, left.run.get(name, "?"), right.run.get(name, "?"), marked=name in marked) for name in names]
    known = one.usage is not None and two.usage is not None
    yield "prompts", list(_side_by_side(left.prompts, right.prompts, known=known))
    yield "models", list(_side_by_side(left.models, right.models, known=known))
    known = one.steps is not None and two.steps is not None
    steps = _side_by_side(left.steps, right.steps, known=known)
    ends = {name for name in {**left.ends, **right.ends} if left.ends.get(name) != right.ends.get(name)}
    yield "steps", [row._replace(differs=known and row.name in ends) for row in steps]


class _Figures:
    """Return the aspects of one run, by name."""

    def __init__(self, report: Report) -> None:
        status, usage = report.status, report.usage or UsageReport()
        self.run = {
            "workflow": status.workflow,
            "state": status.state.replace("_", " "),
            "took": took(status.started_at, status.closed_at),
            **(_spent(usage) if report.usage else {}),
        }
        self.prompts = _versions(usage)
        self.models = {name: f"{_calls(totals)}, {cost(totals)}" for name, totals in usage.by_model.items()}
        self.steps = {step.path: _step(step) for step in report.steps or ()}
        self.ends = {
            step.path: step.status for step in report.steps or ()
        }  # only differences: no two runs take equally long


def _spent(usage: UsageReport) -> dict[str, str]:
    return {
        "paid": _calls(usage.total),
        "cost": cost(usage.total),
        "tokens in": f"{usage.total.usage.input_tokens:,}",
        "tokens out": f"{usage.total.usage.output_tokens:,}",
        "reused": f"{_calls(usage.taken)}, {cost(usage.taken)}" if usage.taken.calls else "-",
    }


def _row(name: str, left: str, right: str, *, marked: bool) -> Row:
    return Row(name, left, right, marked and left != right)


def _side_by_side(left: Mapping[str, str], right: Mapping[str, str], *, known: bool) -> Iterator[Row]:
    absent = "-" if known else "?"
    for name in {**left, **right}:
        yield _row(name, left.get(name, absent), right.get(name, absent), marked=known)


def _calls(totals: Totals) -> str:
    return f"{totals.calls} model {plural(totals.calls, 'call')}"


def _versions(usage: UsageReport) -> dict[str, str]:
    """Return for each prompt the versions that the run's answers come from, paid or reused."""
    versions: defaultdict[str, set[str]] = defaultdict(set)
    for text in (*usage.by_prompt, *usage.taken_by_prompt):
        ref = PromptRef.model_validate(text)
        versions[ref.name].add(ref.version)
    return {name: ", ".join(sorted(found)) for name, found in sorted(versions.items())}


def _step(step: StepRecord) -> str:
    spent = f", {cost(step.usage)}" if step.usage.calls else ""
    return f"{step.status}, {took(step.started_at, step.ended_at)}{spent}"


def _apart(left: str, right: str) -> Table:
    """Return two texts side by side, without the lines that both have."""
    table = Table(show_header=False, expand=True, padding=(0, 1))
    table.add_column(ratio=1, overflow="fold")
    table.add_column()
    table.add_column(ratio=1, overflow="fold")
    one, two = left.splitlines(), right.splitlines()
    for kind, begin, end, other_begin, other_end in SequenceMatcher(None, one, two).get_opcodes():
        if kind != "equal":
            table.add_row(Text("\n".join(one[begin:end])), _SIGN, Text("\n".join(two[other_begin:other_end])))
    return table


def _output(compared: Compared) -> str:
    if compared.report.status.state != "completed":
        return compared.report.failure or "none yet"
    return _text(compared.result)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(plain(value), indent=2, ensure_ascii=False)
