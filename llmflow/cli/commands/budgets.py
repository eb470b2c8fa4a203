"""`llmflow budgets`: limits on what runs, tenants, users, tags, Apps and keys may spend."""

from collections.abc import Sequence
from typing import Annotated, cast, get_args

import typer

from llmflow.cli.bridge import run
from llmflow.cli.options import AsJson, parse_budget
from llmflow.cli.output import dollars, out, print_json, say
from llmflow.cli.tables import Listing
from llmflow.config import Settings
from llmflow.errors import did_you_mean
from llmflow.service import budgets as service
from llmflow.types.base import changed
from llmflow.types.budgets import Balance, Budget, BudgetName, Period, Scope


def _scope(text: str) -> Scope:
    return cast(Scope, _one_of(text, get_args(Scope)))


def _period(text: str) -> Period:
    return cast(Period, _one_of(text, get_args(Period)))


def _one_of(text: str, known: Sequence[str]) -> str:
    if text not in known:
        raise typer.BadParameter(f"{text!r} is none{did_you_mean(text, known)}: give one of {', '.join(known)}")
    return text


Name = Annotated[
    str, typer.Argument(metavar="SCOPE:NAME", help="Such as tenant:acme, user:ana, tag:vip, app:hello, run:RUN")
]
Per = Annotated[
    Period | None,
    typer.Option("--per", parser=_period, metavar="day|month", help="The budget that begins anew then, in UTC"),
]
Usd = Annotated[Budget, typer.Argument(parser=parse_budget, metavar="USD", help="US dollars, such as 50")]


def list_budgets(
    *,
    scope: Annotated[
        Scope | None,
        typer.Option(parser=_scope, metavar="|".join(get_args(Scope)), help="Only budgets of this scope"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List budgets with what is spent and left; those of runs only with `--scope run`.

    Example: llmflow budgets list --scope tenant
    """
    found = run(service.list_budgets(Settings.load().store_url, scope))
    if as_json:
        print_json(found)
    elif found:
        out.print(_table(found))
    else:
        say("no budgets")


def show_budget(name: Name, *, per: Per = None, as_json: AsJson = False) -> None:
    """Show a budget, and the in-flight calls that hold its money.

    Example: llmflow budgets show tenant:acme --per day
    """
    of = BudgetName.parse(name, per)
    _show(run(service.show_budget(Settings.load().store_url, of)), as_json=as_json)


def set_limit(
    name: Name,
    usd: Usd,
    *,
    per: Per = None,
    unpriced: Annotated[bool, typer.Option("--unpriced", help="Allow calls without a known upper bound")] = False,
    cheaper: Annotated[
        bool, typer.Option("--cheaper", help="Without room, ask the next candidate of models.yaml, if that one fits")
    ] = False,
    ask: Annotated[
        bool, typer.Option("--ask", help="Without room, the run asks a person for more, in an approval")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a budget, or replace its limit and rules; what is spent stays. Workers notice a new one within 5 seconds.

    Example: llmflow budgets set tenant:acme 50 --per day
    """
    if cheaper and ask:
        raise typer.BadParameter("--cheaper or --ask: a call without room does one of them")
    full = "cheaper" if cheaper else "ask" if ask else "refuse"
    policy = {"unpriced": "allow" if unpriced else "refuse", "full": full}
    budget = changed(usd, **policy)
    of = BudgetName.parse(name, per)
    _show(run(service.set_budget(Settings.load().store_url, of, budget)), as_json=as_json)


def raise_limit(name: Name, usd: Usd, *, per: Per = None, as_json: AsJson = False) -> None:
    """Add US dollars to a limit, also of a running run. It opens a closed budget.

    Example: llmflow budgets raise run:ticket-4711 0.50
    """
    of = BudgetName.parse(name, per)
    settings = Settings.load()
    _show(run(service.raise_budget(settings.store_url, of, usd.usd, settings.by)), as_json=as_json)


def reset_spent(name: Name, *, per: Per = None, as_json: AsJson = False) -> None:
    """Forget what is spent, so that the whole limit is left. It opens a closed budget; the ledger keeps all calls.

    Example: llmflow budgets reset tenant:acme
    """
    of = BudgetName.parse(name, per)
    _show(run(service.reset_budget(Settings.load().store_url, of)), as_json=as_json)


def _show(found: Balance, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    out.print(_table([found]))
    if found.closed:
        say(f"closed: {found.closed}", "red")
    for one in found.raises:
        say(f"{one.at:%Y-%m-%d %H:%M} UTC: {dollars(one.usd)} more by {one.by}{f': {one.why}' if one.why else ''}")
    for hold in found.holds:
        say(f"{dollars(hold.usd)} held by {hold.activity_id} of run id {hold.run_id} until {hold.until:%H:%M:%S} UTC")


def _table(found: Sequence[Balance]) -> Listing:
    table = Listing(("budget", "per", "state"), ("limit", "spent", "reserved", "left"))
    for one in found:
        keys = [f"{one.scope}:{one.name}", one.period or "-", "closed" if one.closed else "-"]
        table.add(keys, [dollars(usd) for usd in (one.usd, one.spent, one.reserved, one.left)])
    return table
