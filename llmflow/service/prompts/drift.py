"""Drift: differences between an App's files, the store and its labels."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from llmflow.errors import ConfigInvalid, PromptError, Remedy
from llmflow.prompts.prompt import Prompts, PromptVersion
from llmflow.service.prompts.store import PromptStore
from llmflow.stores.prompts.states import PromptState
from llmflow.stores.prompts.uses import last_uses
from llmflow.types.refs import PromptRef


class Drift(BaseModel):
    """One difference."""

    model_config = ConfigDict(frozen=True)

    prompt: str
    kind: Literal["drift", "used"] = "drift"
    """`used`: the only evidence is a call; only the worker knows which version later runs get."""
    what: str
    at: datetime | None = None
    """Start of the call, for `used`."""
    remedies: tuple[Remedy, ...]
    """Actions, each of which removes the difference in its own way."""


@dataclass(frozen=True)
class Drifts:
    """All differences."""

    found: tuple[Drift, ...]
    unlabelled: tuple[PromptVersion, ...]
    """Prompts that follow the workers' files, because no label or rollout gives new runs a version."""


async def drifts(store: PromptStore, app: str, prompts: Prompts, check: Callable[[PromptVersion], None]) -> Drifts:
    """Compare an App's files with the versions in the store and the targets of its labels.

    Args:
        store: Store of versions and labels.
        app: Name of the App.
        prompts: Prompts of its files.
        check: Raises ConfigInvalid for a version whose model or tools the App does not have.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    label = store.settings.label
    found: list[Drift] = []
    states = await store.labels.states(app)
    for prompt in prompts:
        state = states.get(prompt.ref.name) or PromptState(name=prompt.ref.name, versions=())
        found += _of_file(label, prompt, state)
        for who, version in _pointed_at(state):
            try:
                check(await store.registry.get(PromptRef(name=state.name, version=version)))
            except (PromptError, ConfigInvalid) as error:
                what = f"no run can use {version}, which {who} is: {error.message}"
                remedies = (Remedy(action="read_history", prompt=state.name),)
                found.append(Drift(prompt=state.name, what=what, remedies=remedies))
    unlabelled = [prompt for prompt in prompts if not _decided(states.get(prompt.ref.name), label)]
    uses = await last_uses(store.database, [prompt.ref.name for prompt in unlabelled])
    all_found = *found, *_without_file(prompts, states), *_used(unlabelled, uses, label)
    return Drifts(all_found, tuple(unlabelled))


def _decided(state: PromptState | None, label: str) -> bool:
    """True if the store decides which version new runs get."""
    return state is not None and (label in state.labels or label in state.rollouts)


def _used(
    unlabelled: Sequence[PromptVersion], uses: Mapping[str, Mapping[str, datetime]], label: str
) -> Iterator[Drift]:
    """Compare with the last used version: the store does not know the files of a worker, only its calls."""
    for prompt in unlabelled:
        name, version = prompt.ref.name, prompt.ref.version
        last, at = next(iter(uses.get(name, {}).items()), (version, None))
        if at and last != version:
            what = f"the last call used {last}, and the file is {version}"
            remedy = Remedy(action="point_label", prompt=name, version=version, label=label)
            yield Drift(prompt=name, kind="used", what=what, at=at, remedies=(remedy,))


def _of_file(label: str, prompt: PromptVersion, state: PromptState) -> Iterator[Drift]:
    name, version = prompt.ref.name, prompt.ref.version
    if all(one.version != version for one in state.versions):
        what = f"the file is {version}, which is not stored"
        yield Drift(prompt=name, what=what, remedies=(Remedy(action="push_prompts"),))
    if rollout := state.rollouts.get(label):
        what = f"a rollout of {label} is open, {rollout}"
        yield Drift(prompt=name, what=what, remedies=(Remedy(action="keep_arm", prompt=name, label=label),))
    elif (points := state.labels.get(label)) and points.version != version:
        what = f"{label} is {points.version}, and the file is {version}"
        move = Remedy(action="point_label", prompt=name, version=version, label=label)
        write = Remedy(action="pull_prompt", prompt=name, label=label)
        yield Drift(prompt=name, what=what, remedies=(move, write))


def _pointed_at(state: PromptState) -> Iterator[tuple[str, str]]:
    """Yield labels and arms, with their versions."""
    yield from ((label, found.version) for label, found in state.labels.items())
    for label, rollout in state.rollouts.items():
        yield from ((f"arm {arm.arm} of {label}", arm.version) for arm in rollout.arms)


def _without_file(prompts: Prompts, states: Mapping[str, PromptState]) -> Iterator[Drift]:
    """Yield prompts that still have a label. The others are history, which is kept."""
    files = {prompt.ref.name for prompt in prompts}
    for name, state in states.items():
        for label in {**state.labels, **state.rollouts} if name not in files else ():
            action = "end_rollout" if label in state.rollouts else "drop_label"
            what = f"it has the label {label}, but no longer a file"
            yield Drift(prompt=name, what=what, remedies=(Remedy(action=action, prompt=name, label=label),))
