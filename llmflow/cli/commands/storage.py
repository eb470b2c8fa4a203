"""`llmflow store gc`: values in external storage that nothing refers to."""

from datetime import timedelta
from typing import Annotated

import typer

from llmflow.cli.bridge import run
from llmflow.cli.options import AsJson, parse_duration
from llmflow.cli.output import out, plural, print_json, say
from llmflow.cli.target import connected
from llmflow.service.storage import Swept, sweep


def collect_garbage(
    *,
    grace: Annotated[
        timedelta | None,
        typer.Option(
            parser=parse_duration, metavar="7d|30d", help="Keep what was stored since, usually 7d; 2d at least"
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Delete nothing")] = False,
    json: AsJson = False,
) -> None:
    """Delete large values of LLMFLOW_STORAGE that no run and no schedule of the namespace refers to.

    It reads all histories that Temporal keeps. Histories that were archived elsewhere are not read: their values go.

    Example: llmflow store gc --dry-run
    """

    async def collecting() -> Swept:
        client = (await connected()).client
        period = timedelta(days=7) if grace is None else grace
        return await sweep(client, period, dry_run=dry_run, progress=lambda runs: say(f"{runs:,} runs read", "dim"))

    swept = run(collecting())
    if json:
        print_json(swept)
        return
    what = "would be deleted" if dry_run else "deleted"
    values = f"{swept.deleted:,} {plural(swept.deleted, 'value')} ({swept.bytes:,} bytes)"
    out.print(f"{values} {what}, {swept.kept:,} old ones are in use by {swept.runs:,} runs and schedules")
