"""`llmflow prompts rollout`: give some of the runs another version."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from llmflow.cli.bridge import run
from llmflow.cli.options import AppPath, AsJson
from llmflow.cli.output import err, out, print_json, say
from llmflow.cli.prompt_changes import Force, LabelName, PromptName, Why, file_of, show_changes
from llmflow.config import Settings
from llmflow.errors import InputInvalid
from llmflow.service.prompts import BUCKETS, Move, PromptState, Unit, opened, percent

_ARM = re.compile(r"(?P<arm>[\w-]+)=(?P<version>[\w-]+):(?P<share>\d+(\.\d{1,2})?)%?")


def roll_out(
    name: PromptName,
    label: LabelName = None,
    *,
    arm: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ARM=VERSION:PERCENT",
            help="a=3f9a:90; VERSION: first digits, a label, or `file`. Once for each arm",
        ),
    ] = None,
    by: Annotated[
        Unit | None, typer.Option(help="Whose name decides on the arm; without user, tenant or item, the id of the run")
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="End it: the label decides again")] = False,
    keep: Annotated[str | None, typer.Option(metavar="ARM", help="With --end: the label moves to this arm")] = None,
    why: Why = None,
    force: Force = False,
    app: AppPath = None,
    as_json: AsJson = False,
) -> None:
    """Split a label between versions, change the split, or end it.

    Each new run gets one of the arms. A unit keeps its arm while that arm does not shrink. Without --arm and --end,
    show what is open.

    Example: llmflow prompts rollout research/write --arm a=production:90 --arm b=3f9a:10 --by user
    """
    if (arm and end) or (keep and not end) or (by and not arm):
        raise InputInvalid("give --arm, with --by if you like, to begin or change it; or --end, with --keep, to end it")

    arms = _arms(arm or ())
    file = file_of(name, [word for word, _ in arms.values()], app)

    async def change() -> tuple[tuple[Move, ...], PromptState]:
        async with opened(Settings.load(), create=file is not None) as store:
            changes: tuple[Move, ...] = ()
            of, reason = label or store.settings.label, store.reason(why, force=force)
            if arms:
                changes = await store.labels.roll_out(name, of, arms, reason, unit=by, file=file)
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


def _arms(given: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Return for each arm the word for its version, and its share of the buckets."""
    arms: dict[str, tuple[str, int]] = {}
    for text in given:
        found = _ARM.fullmatch(text)
        if found is None:
            raise InputInvalid(f"--arm {text}: write ARM=VERSION:PERCENT, such as a=3f9a:90 or b=file:0.5")
        if found["arm"] in arms:
            raise InputInvalid(f"--arm {text}: the arm `{found['arm']}` is given twice; give each its own name")
        arms[found["arm"]] = found["version"], int(Decimal(found["share"]) * BUCKETS / 100)
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
