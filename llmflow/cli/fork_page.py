"""Page about a planned fork."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from llmflow.cli.output import cost, duration, plural
from llmflow.types.plans import Plan, PlannedCalls
from llmflow.types.usage import dollars


def plan_page(plan: Plan) -> RenderableType:
    """Return what a fork would take over, execute, spend and ask."""
    return Group(*_parts(plan))


def _parts(plan: Plan) -> Iterator[RenderableType]:
    until = f" until {plan.until}" if plan.until else ""
    yield Text.assemble("a fork of ", (plan.source, "bold"), f" from {plan.step}{until}")
    yield from _calls("takes over, as far as the input stays the same", plan.taken)
    yield from _calls("executes", plan.executed)
    yield Text(f"\ncosts about {_estimate(plan)}; {_bound(plan)}")
    if plan.effects:
        yield Text("\neffects", "dim")
        table = Table.grid(padding=(0, 2))
        for effect in plan.effects:
            stops = effect.outcome in ("the fork stops here", "called")
            table.add_row(Text(f"  {effect.address}"), Text(effect.outcome, "yellow" if stops else ""))
        yield table
        yield Text("  one whose input changes stops the fork, unless --repeat-effects is given", "dim")
    yield from _names("decisions taken over", plan.decisions)
    yield from _names("asked of people again", plan.questions)
    if plan.timers:
        yield Text(f"\n{plan.timers} {plural(plan.timers, 'timer')} run again: {duration(plan.timers_length)} in all")
    yield from _names("not sent again", [f"{name} ({count}x)" for name, count in Counter(plan.messages).items()])
    for name in plan.unchanged:
        yield Text(f"\nthe run had that version of {name} already", "yellow")


def _estimate(plan: Plan) -> str:
    """Return what the run has paid. Another model, prompt or input costs something else."""
    known, whole = cost(plan.usage), cost(plan.whole)
    more = f", and {plan.unanswered} {plural(plan.unanswered, 'call')} that had no answer" if plan.unanswered else ""
    every = f", or {whole} if every answer is asked for again" if plan.whole != plan.usage else ""
    return f"{known} as in the run{more}{every}"


def _bound(plan: Plan) -> str:
    return (
        "without a budget, no upper bound is known"
        if plan.most is None
        else f"at most {dollars(plan.most)}, its budget"
    )


def _calls(title: str, found: Sequence[PlannedCalls]) -> Iterator[RenderableType]:
    yield Text(f"\n{title}" if found else f"\n{title}: nothing", "dim")
    table = Table.grid(padding=(0, 2))
    for one in found:
        paid = cost(one.usage) if one.usage.calls else ""
        table.add_row(Text(f"  {one.step}"), f"{one.calls} {plural(one.calls, 'call')}", paid)
    if found:
        yield table


def _names(title: str, names: Sequence[str]) -> Iterator[RenderableType]:
    if names:
        yield Text(f"\n{title}", "dim")
        yield from (Text(f"  {name}") for name in names)
