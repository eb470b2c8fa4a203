"""One change of a label or a rollout: the resolution of words to versions, and the record of the change."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection, Executable, delete, insert, select, update

from llmflow.errors import ErrorDetail, InputInvalid, LLMFlowError, PromptVersionMissing, Remedy, did_you_mean
from llmflow.prompts.prompt import PromptVersion
from llmflow.stores.database import Database
from llmflow.stores.prompts.states import Move, PromptState, moves_of, state_of
from llmflow.stores.prompts.uses import last_uses
from llmflow.stores.prompts.versions import add_versions
from llmflow.stores.schema import prompt_labels, prompt_moves, prompt_rollouts, prompt_versions
from llmflow.types.rollouts import Rollout

BACK, FILE, NONE = "back", "file", "none"
"""Words in place of a version: the label's last target, the version of the file, and no label at all."""
PROTECTED = "protected"

_SHOWN = 5  # versions, in an error


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Author and reason of a change, and whether it may move a protected label."""

    by: str
    why: str | None = None
    force: bool = False


class _Unresolved(Exception):
    """Signals that a word means no version.

    The versions used by runs are read outside of the transaction: that can be slow.
    """

    def __init__(self, error: Callable[[Sequence[str]], LLMFlowError]) -> None:
        self.error = error
        """Makes the error, from the versions used by runs, newest first."""


class LabelChange:
    """Changes of one label in one transaction, each with its record. An equal value leaves no record."""

    def __init__(
        self,
        connection: Connection,
        state: PromptState,
        past: Sequence[Move],
        label: str,
        reason: Reason,
        file: PromptVersion | None,
    ) -> None:
        self.state = state
        self.past = past
        self.label = label
        self.moves: list[Move] = []
        self._connection = connection
        self._reason = reason
        self._file = file
        self._of_label = {"name": state.name, "label": label}
        # Read from the records, because protection outlives the label: `none` does not remove it.
        self._protected = next((move.after is not None for move in reversed(past) if move.kind == "protection"), False)

    def find(self, word: str, words: Sequence[str] = ()) -> str:
        """Resolve a word to a version. `words` are those of all arms, which must mean different ones."""
        if self._file and word == FILE:
            return self._file.ref.version
        if self.state.lacks_label(word):
            others = {self.find(one) for one in words if one == FILE or not self.state.lacks_label(one)}
            raise _Unresolved(lambda used: _no_such_label(self.state, word, used, others))
        return self.state.find(word)

    def point(self, version: str | None, *, kind: Literal["label", "back"] = "label") -> None:
        """Point the label to a version; `None` removes it."""
        found = self.state.labels.get(self.label)
        before = found.version if found else None
        if version == before:
            return
        self._record(kind, before, version)
        if before is None:
            values = {**self._of_label, "version": version, "protected": self._protected}
            self._execute(insert(prompt_labels).values(values))
        elif version is None:
            self._execute(delete(prompt_labels).filter_by(**self._of_label))
        else:
            self._execute(update(prompt_labels).filter_by(**self._of_label).values(version=version))

    def protect(self, wanted: bool) -> None:
        """Protect the label, or end its protection."""
        if wanted != self._protected:
            self._record("protection", PROTECTED if self._protected else None, PROTECTED if wanted else None)
            self._execute(update(prompt_labels).filter_by(**self._of_label).values(protected=wanted))

    def split(self, rollout: Rollout | None) -> None:
        """Open or change the rollout of the label; `None` ends it."""
        before = self.state.rollouts.get(self.label)
        if rollout == before:
            return
        self._record("rollout", str(before) if before else None, str(rollout) if rollout else None)
        self._execute(delete(prompt_rollouts).filter_by(**self._of_label))
        if rollout:
            self._execute(insert(prompt_rollouts).values(**self._of_label, **rollout.model_dump(mode="json")))

    def _record(
        self, kind: Literal["label", "back", "rollout", "protection"], before: str | None, after: str | None
    ) -> None:
        if self._protected and not (self._reason.force and self._reason.why):
            raise InputInvalid(
                f"`{self.label}` of `{self.state.name}` is protected, and moves only with force and a reason",
                ErrorDetail(remedy=Remedy(action="force")),
            )
        move = Move(
            label=self.label,
            kind=kind,
            before=before,
            after=after,
            at=datetime.now(UTC),
            by=self._reason.by,
            why=self._reason.why,
        )
        self.moves.append(move)
        self._execute(insert(prompt_moves).values(name=self.state.name, **dict(move)))

    def _execute(self, statement: Executable) -> None:
        self._connection.execute(statement)


async def change_label(
    database: Database,
    name: str,
    label: str,
    reason: Reason,
    work: Callable[[LabelChange], None],
    file: PromptVersion | None = None,
) -> tuple[Move, ...]:
    """Do all of `work` in one transaction, or nothing. Return the changes.

    Raises:
        PromptNotFound, PromptVersionMissing, InputInvalid, StoreUnavailable: see `Labels`.
    """

    def locked(connection: Connection) -> tuple[Move, ...]:
        if file:
            add_versions(database, connection, [file], reason.by)
        # The row lock serializes people who change one prompt at once. SQLite has locked everything already.
        of_name = prompt_versions.c.name == name
        connection.execute(select(prompt_versions.c.version).where(of_name).with_for_update())
        state, moves = state_of(connection, name), moves_of(connection, name)
        past = [move for move in moves if move.label == label]
        change = LabelChange(connection, state, past, label, reason, file)
        work(change)
        return tuple(change.moves)

    try:
        return await database.write(locked)
    except _Unresolved as unresolved:
        uses = await last_uses(database, [name])
        raise unresolved.error(tuple(uses.get(name, ()))) from None


def way_back(change: LabelChange) -> str:
    """Return the target before the last move that is not undone: each `back` goes one step further into the past."""
    visited: list[str | None] = [None]
    for move in change.past:
        if move.kind == "label":
            visited.append(move.after)
        elif move.kind == "back":
            visited.pop()
    if (way := visited[-2] if len(visited) > 1 else None) is None:
        # No label is not a version: runs would follow the file, which may be the very one to undo.
        raise _Unresolved(lambda used: _no_way_back(change, used))
    return way


def _no_way_back(change: LabelChange, used: Sequence[str]) -> InputInvalid:
    """Refuse, and offer no version that an earlier `back` has left."""
    state, label = change.state, change.label
    found = state.labels.get(label)
    now = found.version if found else next(iter(used), None)
    left = [move.before for move in change.past if move.kind == "back" and move.before]
    nowhere = f"`{label}` of `{state.name}` pointed to no version before{f' {now}' if found else ''}"
    ways, remedy = _offer(state, label, used, {now, *left})
    if not ways and left:
        ways = f"The store has no other version than {', '.join(dict.fromkeys(left))}, which `back` came from"
    elif not ways:
        ways, remedy = "The store has no other version", Remedy(action="push_prompts")
    else:
        ways = f"`none` would let runs follow the file. {ways}"
    return InputInvalid(f"{nowhere}, so there is no way back, and nothing changed. {ways}", ErrorDetail(remedy=remedy))


def _no_such_label(
    state: PromptState, label: str, used: Sequence[str], others: Collection[str]
) -> PromptVersionMissing:
    """Refuse, and offer versions used by runs, never that of another arm: both would be the same."""
    near = did_you_mean(label, state.labels)
    missing = f"`{state.name}` has no label `{label}` yet{near}: runs that follow it get the file. Nothing changed. "
    ways, remedy = _offer(state, label, used, others)
    ways = ways or f"There is no other version than {', '.join(sorted(others))}"
    return PromptVersionMissing(f"{missing}{ways}", ErrorDetail(field=state.name, remedy=remedy))


def _offer(
    state: PromptState, label: str, used: Sequence[str], without: Collection[str | None]
) -> tuple[str, Remedy | None]:
    """Offer the versions used by runs, newest first, or else those in the store; nothing if there are none.

    The remedy points the label to the first of them.
    """
    stored = [one.version for one in state.versions if one.version not in without]
    before = [version for version in used if version in stored]
    if not (offered := before or stored):
        return "", None
    known = f"{'Runs have used' if before else 'The store has'} {', '.join(offered[:_SHOWN])}"
    return known, Remedy(action="point_label", prompt=state.name, version=offered[0], label=label)
