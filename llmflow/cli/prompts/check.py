"""`llmflow prompts check`: what differs between an App's files and what its runs get."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

import typer
from pydantic import BaseModel, ConfigDict
from rich.table import Table
from rich.text import Text

from llmflow import worker as workers
from llmflow.app import App
from llmflow.cli._apps import load, named
from llmflow.cli._exit import Exit
from llmflow.cli._options import AppPath, AsJson
from llmflow.cli._output import out, plural, print_json, say, when
from llmflow.cli._run import run
from llmflow.cli.prompts._store import opened
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid, PromptError
from llmflow.prompts.prompt import Prompts, PromptVersion
from llmflow.stores.prompts.labels import NONE
from llmflow.stores.prompts.states import PromptState
from llmflow.stores.prompts.uses import last_uses
from llmflow.types.refs import PromptRef
from llmflow.worker import prompts_of


class Drift(BaseModel):
    """One thing that differs."""

    model_config = ConfigDict(frozen=True)

    prompt: str
    kind: Literal["drift", "used"] = "drift"
    """`used`: only a call that was made; whether later runs get the same, the worker alone knows."""
    what: str
    mend: tuple[str, ...]
    """Commands, of which each mends it in its own way."""


def check_prompts(*, app: AppPath = None, as_json: AsJson = False) -> None:
    """Say what differs between an App's files, the store and its labels.

    It ends with 1 if something does: a version that is not stored, a label that points elsewhere, an open rollout, a
    label that no run can follow. A prompt without a label follows the files of the workers as they were when those
    started: a last call that had another version is shown, and ends it with 0.

    Example: llmflow prompts check --app workflows.research.app:app
    """
    served, settings = load(app), Settings.load()
    drifts, unlabelled = run(_drifts(app, served, settings))
    failed = any(one.kind == "drift" for one in drifts)
    if as_json:
        print_json(drifts)
    else:
        if drifts:
            out.print(_table(drifts))
        if not failed:
            say(f"the store has what the files of {served.name} say, and no label says otherwise", "green")
        if unlabelled:
            say(
                f"{len(unlabelled)} {plural(len(unlabelled), 'prompt')} without the label {settings.label}: their runs "
                "follow the files of the workers, which read them at start: restart those that began before an edit",
                "dim",
            )
    if failed:
        raise typer.Exit(Exit.FAILED)


async def _drifts(path: str | None, app: App, settings: Settings) -> tuple[list[Drift], list[PromptVersion]]:
    """And the prompts that follow the workers' files."""
    prompts = prompts_of(app)
    models = workers.app_model_catalogue(app, settings) if app.models or app.providers or settings.models else None
    drifts: list[Drift] = []
    async with opened() as store:
        states = await store.labels.states(app.name)
        for prompt in prompts:
            state = states.get(prompt.ref.name) or PromptState(name=prompt.ref.name, versions=())
            drifts += _of_file(path, settings.label, prompt, state)
            for who, version in _pointed_at(state):
                try:
                    found = await store.registry.get(PromptRef(name=state.name, version=version))
                    if models:
                        workers.check_prompt(found, app, models)
                except (PromptError, ConfigInvalid) as error:
                    what = f"no run can use {version}, which {who} is: {error.message}"
                    mend = (f"llmflow prompts history {state.name}",)
                    drifts.append(Drift(prompt=state.name, what=what, mend=mend))
        unlabelled = [prompt for prompt in prompts if not _decided(states.get(prompt.ref.name), settings.label)]
        uses = await last_uses(store.database, [prompt.ref.name for prompt in unlabelled])
    return [*drifts, *_without_file(prompts, states), *_used(unlabelled, uses, settings.label)], unlabelled


def _decided(state: PromptState | None, label: str) -> bool:
    """Whether the store says what new runs get."""
    return state is not None and (label in state.labels or label in state.rollouts)


def _used(
    unlabelled: Sequence[PromptVersion], uses: Mapping[str, Mapping[str, datetime]], label: str
) -> Iterator[Drift]:
    """The store cannot say which files a worker has, but which version it last called a model with."""
    for prompt in unlabelled:
        name, version = prompt.ref.name, prompt.ref.version
        last, at = next(iter(uses.get(name, {}).items()), (version, None))
        if at and last != version:
            what = f"the last call, {when(at)}, used {last}, and the file is {version}"
            mend = f"llmflow prompts label {name} {version} {label}"
            yield Drift(prompt=name, kind="used", what=what, mend=(mend,))


def _of_file(path: str | None, label: str, prompt: PromptVersion, state: PromptState) -> Iterator[Drift]:
    name, version = prompt.ref.name, prompt.ref.version
    if all(one.version != version for one in state.versions):
        what = f"the file is {version}, which is not stored"
        yield Drift(prompt=name, what=what, mend=(f"llmflow prompts push{named(path)}",))
    if rollout := state.rollouts.get(label):
        what = f"a rollout of {label} is open, {rollout}"
        yield Drift(prompt=name, what=what, mend=(f"llmflow prompts rollout {name} {label} --end --keep ARM",))
    elif (points := state.labels.get(label)) and points.version != version:
        what = f"{label} is {points.version}, and the file is {version}"
        mend = f"llmflow prompts label {name} {version} {label}", f"llmflow prompts pull {name}@{label}{named(path)}"
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
        mark = ("✗ ", "red") if one.kind == "drift" else ("! ", "yellow")
        table.add_row(Text.assemble(mark, (one.prompt, "bold")), Text.assemble(one.what, ways))
    return table
