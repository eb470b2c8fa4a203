"""`llmflow prompts rollout`: give some of the runs another version."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from llmflow.cli._options import AsJson
from llmflow.cli._output import err, out, print_json, say
from llmflow.cli._run import run
from llmflow.cli.prompts._store import AppOfFile, Force, LabelName, PromptName, Store, Why, opened, show_changes
from llmflow.errors import InputInvalid
from llmflow.stores.prompt_states import Move, PromptState
from llmflow.stores.rollouts import BUCKETS, Unit, percent

_ARM = re.compile(r"(?P<arm>[\w-]+)=(?P<version>[\w-]+):(?P<share>\d+(\.\d{1,2})?)%?")


def roll_out(
    name: PromptName,
    label: LabelName = None,
    *,
    arm: Annotated[
        list[str] | None,
        typer.Option(metavar="ARM=VERSION:PERCENT", help="a=3f9a:90; the version as in `label`. Once for each arm"),
    ] = None,
    by: Annotated[Unit | None, typer.Option(help="Whose name decides; runs without one go by their id")] = None,
    end: Annotated[bool, typer.Option("--end", help="End it: the label decides again")] = False,
    keep: Annotated[str | None, typer.Option(metavar="ARM", help="With --end: the label moves to this arm")] = None,
    why: Why = None,
    force: Force = False,
    app: AppOfFile = None,
    as_json: AsJson = False,
) -> None:
    """Split a label between versions, change how, or end it.

    Without --arm and --end, show the open ones. Who has got an arm keeps it while that arm does not shrink.

    Example: llmflow prompts rollout research/write --arm a=production:90 --arm b=3f9a:10 --by user
    """
    if (arm and end) or (keep and not end) or (by and not arm):
        raise InputInvalid("give --arm, with --by if you like, to begin or change it; or --end, with --keep, to end it")

    async def change() -> tuple[tuple[Move, ...], PromptState]:
        async with opened(create=app is not None) as store:
            changes: tuple[Move, ...] = ()
            of, reason = label or store.settings.label, store.reason(why, force=force)
            if arm:
                arms = await _arms(store, name, arm, app)
                changes = await store.labels.roll_out(name, of, arms, reason, unit=by)
            elif end:
                changes = await store.labels.end(name, of, reason, keep=keep)
            return changes, await store.labels.state(name)

    changes, state = run(change())
    if arm or end:
        show_changes(name, changes, as_json=as_json)
    elif as_json:
        print_json(state.rollouts)
    elif not state.rollouts:
        say(f"no rollout of {name} is open")
    else:
        _show(state)


async def _arms(store: Store, name: str, given: Sequence[str], app: str | None) -> dict[str, tuple[str, int]]:
    arms: dict[str, tuple[str, int]] = {}
    for text in given:
        found = _ARM.fullmatch(text)
        if found is None:
            raise InputInvalid(f"--arm {text}: write ARM=VERSION:PERCENT, such as a=3f9a:90 or b=file:0.5")
        if found["arm"] in arms:
            raise InputInvalid(f"--arm {text}: there is an arm `{found['arm']}` already; give each its own name")
        version = await store.version(name, found["version"], app)
        arms[found["arm"]] = version, int(Decimal(found["share"]) * BUCKETS / 100)
    return arms


def _show(state: PromptState) -> None:
    for label, rollout in state.rollouts.items():
        err.print(Text.assemble((state.name, "bold"), f" {label}, by {rollout.unit}"))
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        for heading in ("arm", "version", "share"):
            table.add_column(heading, no_wrap=True)
        for one in rollout.arms:
            table.add_row(one.arm, one.version, percent(one.share))
        out.print(table)
