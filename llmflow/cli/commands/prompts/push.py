"""`llmflow prompts push`: store the versions of an App's files without running a worker."""

from llmflow.cli.apps import load
from llmflow.cli.bridge import run
from llmflow.cli.options import AppPath, AsJson
from llmflow.cli.output import err, plural, print_json, say
from llmflow.config import Settings
from llmflow.service.prompts import opened
from llmflow.types.refs import PromptRef
from llmflow.worker.apps import prompts_of


def push_prompts(*, app: AppPath = None, as_json: AsJson = False) -> None:
    """Store the versions of an App's prompt files.

    A worker does the same when it starts. No label moves.

    Example: llmflow prompts push --app workflows.research.app:app
    """
    prompts = prompts_of(load(app))

    async def push() -> tuple[PromptRef, ...]:
        async with opened(Settings.load(), create=True) as store:
            return await store.push(prompts)

    new = run(push())
    if as_json:
        rows = [{"name": one.ref.name, "version": one.ref.version, "new": one.ref in new} for one in prompts]
        print_json(rows)
        return
    for ref in new:
        err.print(f"stored {ref}")
    say(f"{len(prompts)} {plural(len(prompts), 'prompt')}, {len(new) or 'no'} new {plural(len(new), 'version')}")
