"""`llmflow prompts check`: what differs between an App's files and what its runs get."""

from collections.abc import Iterator, Mapping, Sequence

import typer
from pydantic import BaseModel, ConfigDict
from rich.table import Table
from rich.text import Text

from llmflow import worker as workers
from llmflow.app import App
from llmflow.cli._apps import load
from llmflow.cli._exit import Exit
from llmflow.cli._options import AppPath, AsJson
from llmflow.cli._output import out, print_json, say
from llmflow.cli._run import run
from llmflow.cli.prompts._store import opened
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid, PromptError
from llmflow.stores.labels import NONE
from llmflow.stores.prompt_states import PromptState
from llmflow.stores.prompts import Prompt, Prompts
from llmflow.types.prompts import PromptRef
from llmflow.worker import prompts_of


class Drift(BaseModel):
    """One thing that differs."""

    model_config = ConfigDict(frozen=True)

    prompt: str
    what: str
    mend: tuple[str, ...]
    """Commands, of which each mends it in its own way."""


def check_prompts(app: AppPath, *, as_json: AsJson = False) -> None:
    """Say what differs between an App's files and what runs get.

    It ends with 1 if something does: a version that is not stored, a label that points elsewhere, an open rollout, a
    label that no run can follow.

    Example: llmflow prompts check workflows.research.app:app
    """
    served, settings = load(app), Settings.load()
    drifts = run(_drifts(app, served, settings))
    if as_json:
        print_json(drifts)
    elif drifts:
        out.print(_table(drifts))
    else:
        say(f"runs get what the files of {served.name} say", "green")
    if drifts:
        raise typer.Exit(Exit.FAILED)


async def _drifts(path: str, app: App, settings: Settings) -> list[Drift]:
    prompts = prompts_of(app)
    catalogue = workers.app_catalogue(app, settings) if app.models or settings.models else None
    drifts: list[Drift] = []
    async with opened() as store:
        states = await store.labels.states(app.name)
        for prompt in prompts:
            state = states.get(prompt.ref.name) or PromptState(name=prompt.ref.name, versions=())
            drifts += _of_file(path, settings.label, prompt, state)
            for who, version in _pointed_at(state):
                try:
                    found = await store.registry.get(PromptRef(name=state.name, version=version))
                    if catalogue:
                        workers.check_prompt(found, app, catalogue)
                except (PromptError, ConfigInvalid) as error:
                    what = f"no run can use {version}, which {who} is: {error.message}"
                    mend = (f"llmflow prompts history {state.name}",)
                    drifts.append(Drift(prompt=state.name, what=what, mend=mend))
    return [*drifts, *_without_file(prompts, states)]


def _of_file(path: str, label: str, prompt: Prompt, state: PromptState) -> Iterator[Drift]:
    name, version = prompt.ref.name, prompt.ref.version
    if all(one.version != version for one in state.versions):
        what = f"the file is {version}, which is not stored"
        yield Drift(prompt=name, what=what, mend=(f"llmflow prompts push {path}",))
    if rollout := state.rollouts.get(label):
        what = f"a rollout of {label} is open, {rollout}"
        yield Drift(prompt=name, what=what, mend=(f"llmflow prompts rollout {name} {label} --end --keep ARM",))
    elif (points := state.labels.get(label)) and points.version != version:
        what = f"{label} is {points.version}, and the file is {version}"
        mend = f"llmflow prompts label {name} {version} {label}", f"llmflow prompts pull {path} {name}@{label}"
        yield Drift(prompt=name, what=what, mend=mend)


def _pointed_at(state: PromptState) -> Iterator[tuple[str, str]]:
    """Labels and arms, with their versions."""
    yield from ((label, found.version) for label, found in state.labels.items())
    for label, rollout in state.rollouts.items():
        yield from ((f"arm {arm.arm} of {label}", arm.version) for arm in rollout.arms)


def _without_file(prompts: Prompts, states: Mapping[str, PromptState]) -> Iterator[Drift]:
    """Those that still have a label. The others are history, which is kept."""
    files = {prompt.ref.name for prompt in prompts}
    for name, state in states.items():
        for label in {**state.labels, **state.rollouts} if name not in files else ():
            mend = f"rollout {name} {label} --end" if label in state.rollouts else f"label {name} {NONE} {label}"
            what = f"it has the label {label}, and no file any more"
            yield Drift(prompt=name, what=what, mend=(f"llmflow prompts {mend}",))


def _table(drifts: Sequence[Drift]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in drifts:
        ways = Text("".join(f"\n→ {way}" for way in one.mend), "yellow")
        table.add_row(Text.assemble(("✗ ", "red"), (one.prompt, "bold")), Text.assemble(one.what, ways))
    return table
