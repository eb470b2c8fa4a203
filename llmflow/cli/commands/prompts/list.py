"""`llmflow prompts list`: the prompts of an App, and the versions that its runs begin with."""

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from llmflow.cli.apps import load
from llmflow.cli.bridge import run
from llmflow.cli.options import AppPath, AsJson
from llmflow.cli.output import out, print_json, say
from llmflow.cli.prompt_json import prompt_as_json
from llmflow.cli.tables import Listing
from llmflow.config import Settings
from llmflow.service.prompts import Prompts, PromptState, PromptVersion, opened, percent, store_name
from llmflow.worker.apps import prompts_of


def list_prompts(*, app: AppPath = None, as_json: AsJson = False) -> None:
    """List the prompts of an App.

    With the versions of their files, models, variables, and the targets of their labels. Prompts without a file, such
    as those in code, have the newest version in the store.

    Example: llmflow prompts list --app workflows.research.app:app
    """
    served, settings = load(app), Settings.load()
    files = prompts_of(served)

    async def read() -> tuple[dict[str, PromptState], Prompts]:
        name, is_missing = store_name(settings)
        if is_missing:  # before the first worker there are files, and they can be listed
            say(f"there is no store at {name}, so no labels", "dim")
            return {}, Prompts()
        async with opened(settings) as store:
            return await store.labels.states(served.name), await store.without_file(served.name, files)

    states, stored = run(read())
    prompts = Prompts((*files, *stored))
    if as_json:
        print_json([_as_json(one, states.get(one.ref.name)) for one in prompts])
    elif not prompts:
        say("this App has no prompts: give it prompts=Path(...), or write flow.Prompt(...) in its workflows")
    else:
        out.print(_table(prompts, states))
        if stored:
            say(f"\nwithout a file, in the store: {', '.join(one.ref.name for one in stored)}", "dim")


def _table(prompts: Prompts, states: Mapping[str, PromptState]) -> Listing:
    table = Listing(("prompt", "version", "labels", "model", "variables"))
    for one in prompts:
        labels = _labels(one, states.get(one.ref.name))
        table.add((one.ref.name, one.ref.version, labels, one.model or "", ", ".join(one.variables)))
    return table


def _labels(prompt: PromptVersion, state: PromptState | None) -> Text:
    """Return labels, each with its version if it is not the file's; or with the arms of its rollout."""
    shown: list[Text] = []
    for label, rollout in state.rollouts.items() if state else ():
        shown += [Text(f"{label} {arm.arm} {arm.version} {percent(arm.share)}", "yellow") for arm in rollout.arms]
    for label, found in state.labels.items() if state else ():
        if state and label not in state.rollouts:
            elsewhere = found.version != prompt.ref.version
            shown.append(Text(f"{label} {found.version}" if elsewhere else label, "yellow" if elsewhere else "green"))
    return Text("\n").join(shown)


def _as_json(prompt: PromptVersion, state: PromptState | None) -> dict[str, Any]:  # Any: JSON
    labels = {label: found.version for label, found in state.labels.items()} if state else {}
    return {**prompt_as_json(prompt), "labels": labels, "rollouts": state.rollouts if state else {}}
