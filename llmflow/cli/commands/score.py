"""`llmflow score`: a person's score of a run."""

from typing import Annotated

import typer

from llmflow.cli.bridge import run
from llmflow.cli.options import AsJson, RunId
from llmflow.cli.output import print_json, say
from llmflow.cli.target import connected
from llmflow.client import Client
from llmflow.config import Settings
from llmflow.service.scores import score_run


def score(
    run_id: RunId,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of what is judged, such as `helpful`")],
    value: Annotated[float, typer.Argument(metavar="VALUE", help="Such as 0.9; 1 and 0 for yes and no")],
    *,
    by: Annotated[
        str | None, typer.Option(help="Who scores [default: LLMFLOW_BY, or the user of this machine]")
    ] = None,
    comment: Annotated[str | None, typer.Option(help="Why")] = None,
    as_json: AsJson = False,
) -> None:
    """Score a run, now or days later.

    It counts for the prompt versions and models of the run: `llmflow prompts compare` adds it up. A second score of the
    same name by the same person replaces the first. Temporal is asked only for a run without a recorded call.

    Example: llmflow score research-calm-otter-7f3a helpful 0.9 --by ana
    """
    settings = Settings.load()
    kept = run(score_run(settings.store_url, _client, run_id, name, value, by=by or settings.by, comment=comment))
    if as_json:
        print_json(kept)
    else:
        say(f"{kept.run}: {kept.name} {kept.value:g} by {kept.by}")


async def _client() -> Client:
    return (await connected()).client
