"""State of prompts in the store: versions, labels and rollouts, and the changes that led to them."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, Connection, select

from llmflow.errors import ErrorDetail, InputInvalid, PromptNotFound, PromptVersionMissing, Remedy, did_you_mean
from llmflow.stores.schema import prompt_labels, prompt_moves, prompt_rollouts, prompt_versions
from llmflow.types.rollouts import Rollout

T = TypeVar("T")
Names = Callable[[ColumnElement[str]], ColumnElement[bool]]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class Version(_Frozen):
    """One version in the store."""

    version: str
    at: datetime
    """Moment when it was first stored."""
    by: str


class Label(_Frozen):
    """Name that points to a version."""

    version: str
    protected: bool


class Move(_Frozen):
    """One change: of a label's target, of its rollout, or of its protection."""

    label: str
    kind: Literal["label", "back", "rollout", "protection"]
    """`label` and `back` both set the label's target; `back` undid the last move that was not undone yet."""
    before: str | None
    """Version; for a rollout its unit and arms, as text; for a protection `protected`. `None`: nothing."""
    after: str | None
    at: datetime
    by: str
    why: str | None


class PromptState(_Frozen):
    """State of one prompt in the store."""

    name: str
    versions: tuple[Version, ...]
    """Newest first."""
    labels: Mapping[str, Label] = {}
    rollouts: Mapping[str, Rollout] = {}
    """Rollouts by the label that they split."""

    def find(self, word: str) -> str:
        """Resolve a word to a version: the name of a label, a version, or its first digits.

        Raises:
            PromptVersionMissing: the word means none; lists those that exist.
            InputInvalid: the word means several.
        """
        if word in self.labels:
            return self.labels[word].version
        known = [one.version for one in self.versions]
        found = [version for version in known if re.match("[0-9a-f]", word) and version.startswith(word)]
        if len(found) > 1:
            raise InputInvalid(f"`{self.name}` has several versions that begin with {word}: {', '.join(found)}")
        if not found:
            raise PromptVersionMissing(self._missing(word, known), ErrorDetail(field=self.name))
        return found[0]

    def lacks_label(self, word: str) -> bool:
        """True if a word can only be the name of a label, and neither that label nor a rollout of it exists."""
        return word not in self.labels and word not in self.rollouts and not re.fullmatch("[0-9a-fA-F]*", word)

    def _missing(self, word: str, known: Sequence[str]) -> str:
        near = did_you_mean(word, (*self.labels, *known))
        there = ", ".join(known) + (f"; labels: {', '.join(self.labels)}" if self.labels else "")
        if self.lacks_label(word):
            return (
                f"`{self.name}` has no label `{word}` yet{near}: runs that follow it get the file. The store has "
                f"{there}. Say one of these instead, or `file`"
            )
        if word in self.rollouts:
            return f"`{self.name}` has no label `{word}`, only a rollout of it: say one version. The store has {there}"
        return f"the store has no version `{word}` of `{self.name}`{near}. It has {there}"


def states_of_app(connection: Connection, app: str) -> dict[str, PromptState]:
    """Return the prompts of an App that the store knows, by name."""
    return _states(connection, lambda name: name.startswith(f"{app}/", autoescape=True))


def state_of(connection: Connection, name: str) -> PromptState:
    """Return the state of one prompt.

    Raises:
        PromptNotFound: the store does not know it; names the nearest.
    """
    found = _states(connection, lambda column: column == name)
    if name not in found:
        known = list(connection.scalars(select(prompt_versions.c.name).distinct()))
        hint = did_you_mean(name, known) or ("" if known else ", and no other")
        raise PromptNotFound(
            f"the store has no prompt `{name}`{hint}",
            ErrorDetail(field=name, remedy=Remedy(action="push_prompts")),
        )
    return found[name]


def moves_of(connection: Connection, name: str) -> list[Move]:
    """Return every change of a prompt's labels and rollouts, oldest first."""
    query = select(prompt_moves).where(prompt_moves.c.name == name).order_by(prompt_moves.c.id)
    return [Move.model_validate(row) for row in connection.execute(query)]


def _states(connection: Connection, names: Names) -> dict[str, PromptState]:
    versions: defaultdict[str, list[Version]] = defaultdict(list)
    labels: defaultdict[str, dict[str, Label]] = defaultdict(dict)
    rollouts: defaultdict[str, dict[str, Rollout]] = defaultdict(dict)
    columns = prompt_versions.c
    query = select(columns.name, columns.version, columns.at, columns.by).where(names(columns.name))
    for row in connection.execute(query.order_by(columns.name, columns.at.desc(), columns.version)):
        versions[row.name].append(Version.model_validate(row))
    for row in connection.execute(select(prompt_labels).where(names(prompt_labels.c.name))):
        labels[row.name][row.label] = Label.model_validate(row)
    for row in connection.execute(select(prompt_rollouts).where(names(prompt_rollouts.c.name))):
        rollouts[row.name][row.label] = Rollout.model_validate(row, from_attributes=True)
    return {
        name: PromptState(name=name, versions=tuple(stored), labels=labels[name], rollouts=rollouts[name])
        for name, stored in versions.items()
    }
