"""Labels and rollouts, as people move them: each change in one transaction with its record."""

import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection, Executable, delete, insert, select, update

from llmflow.errors import ErrorDetail, InputInvalid, LLMFlowError, PromptVersionMissing, Remedy, did_you_mean
from llmflow.prompts.prompt import PromptVersion
from llmflow.stores.database import Database
from llmflow.stores.prompts.rollouts import Arm, Rollout, Unit, deal
from llmflow.stores.prompts.states import Move, PromptState, moves_of, state_of, states_of_app
from llmflow.stores.prompts.uses import last_uses
from llmflow.stores.prompts.versions import add_versions
from llmflow.stores.schema import prompt_labels, prompt_moves, prompt_rollouts, prompt_versions

BACK, FILE, NONE = "back", "file", "none"
"""What may stand for a version: where the label was before, what the file has, and that there shall be no label."""
PROTECTED = "protected"

_SHOWN = 5  # versions, in an error


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Who changes something, why, and whether also what is protected."""

    by: str
    why: str | None = None
    force: bool = False


class _Unresolved(Exception):
    """A word means no version. What runs have used is read outside of the transaction: it may take long."""

    def __init__(self, error: Callable[[Sequence[str]], LLMFlowError]) -> None:
        self.error = error
        """It takes the versions that runs have used, newest first."""


class Labels:
    """The labels and rollouts of prompts. Where they point from now on is for new runs; open ones keep what they have.

    The methods raise:
        PromptNotFound: the store does not know the prompt; says what is near.
        PromptVersionMissing: it does not have that version of it.
        InputInvalid: that cannot be done; says what can.
        StoreUnavailable: the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def states(self, app: str) -> dict[str, PromptState]:
        """The prompts of an App that the store knows, by name."""
        return await self._database.read(lambda connection: states_of_app(connection, app))

    async def state(self, name: str) -> PromptState:
        """What the store knows of one prompt."""
        return await self._database.read(lambda connection: state_of(connection, name))

    async def history(self, name: str) -> tuple[PromptState, tuple[Move, ...]]:
        """What the store knows of one prompt, and every change of its labels and rollouts, oldest first."""

        def read(connection: Connection) -> tuple[PromptState, tuple[Move, ...]]:
            return state_of(connection, name), tuple(moves_of(connection, name))

        return await self._database.read(read)

    async def move(
        self,
        name: str,
        label: str,
        to: str,
        reason: Reason,
        *,
        protect: bool | None = None,
        file: PromptVersion | None = None,
    ) -> tuple[Move, ...]:
        """Let a label point to another version.

        Args:
            name: Of the prompt.
            label: A new one is made.
            to: A version or its first digits, another label, `file`, `back` or `none`. `back` goes to a version, or is
                refused.
            reason: Kept with the move.
            protect: Whether later moves need force and a reason; as it was if left out. It outlives the label.
            file: What `file` means. It is stored with the change, and not without it.

        Returns:
            What has changed.
        """

        def work(change: "_Change") -> None:
            before = change.state.labels.get(label)
            if change.state.rollouts.get(label):
                raise InputInvalid(
                    f"a rollout of `{label}` is open, and decides over the label, so end it first",
                    ErrorDetail(remedy=Remedy(action="end_rollout", prompt=name, label=label)),
                )
            if before is None:
                _check_name(label)
            if to == BACK:
                change.point(_way_back(change), kind="back")
            else:
                change.point(None if to == NONE else change.find(to))
            if protect is not None:
                change.protect(protect)

        return await self._change(name, label, reason, work, file)

    async def roll_out(
        self,
        name: str,
        label: str,
        arms: Mapping[str, tuple[str, int]],
        reason: Reason,
        *,
        unit: Unit | None = None,
        file: PromptVersion | None = None,
    ) -> tuple[Move, ...]:
        """Split a label between versions, or change how it is split. As few units as possible get another version.

        Args:
            name: Of the prompt.
            label: A rollout of it wins over where it points.
            arms: For each arm a version, as in `move`, and how many of the 10,000 buckets it gets.
            reason: Kept with the change.
            unit: Whose name decides; as it was if left out, and the run at first.
            file: As in `move`.

        Returns:
            What has changed.
        """

        def work(change: "_Change") -> None:
            before = change.state.rollouts.get(label)
            if before is None and label not in change.state.labels:
                _check_name(label)
            buckets = deal(
                {arm: share for arm, (_, share) in arms.items()},
                {arm.arm: arm.buckets for arm in before.arms} if before else {},
            )
            words = [word for word, _ in arms.values()]
            change.split(
                Rollout(
                    salt=before.salt if before else secrets.token_hex(8),
                    unit=unit or (before.unit if before else "run"),
                    arms=tuple(
                        Arm(arm=arm, version=change.find(word, words), buckets=buckets[arm])
                        for arm, (word, _) in arms.items()
                    ),
                )
            )

        return await self._change(name, label, reason, work, file)

    async def end(self, name: str, label: str, reason: Reason, *, keep: str | None = None) -> tuple[Move, ...]:
        """End a rollout: the label decides again.

        Args:
            name: Of the prompt.
            label: The one that is split.
            reason: Kept with the change.
            keep: The arm to whose version the label moves; it stays where it is if left out.

        Returns:
            What has changed.
        """

        def work(change: "_Change") -> None:
            rollout = change.state.rollouts.get(label)
            if rollout is None:
                raise InputInvalid(f"no rollout of `{label}` is open for `{name}`{_open_elsewhere(change.state)}")
            versions = {arm.arm: arm.version for arm in rollout.arms}
            if keep is not None and keep not in versions:
                raise InputInvalid(
                    f"the rollout has no arm `{keep}`{did_you_mean(keep, versions)}. It has {', '.join(versions)}"
                )
            change.split(None)
            if keep is not None:
                change.point(versions[keep])

        return await self._change(name, label, reason, work)

    async def _change(
        self,
        name: str,
        label: str,
        reason: Reason,
        work: Callable[["_Change"], None],
        file: PromptVersion | None = None,
    ) -> tuple[Move, ...]:
        def locked(connection: Connection) -> tuple[Move, ...]:
            if file:
                add_versions(self._database, connection, [file], reason.by)
            # Two people who change one prompt at once come one after the other. SQLite has locked everything already.
            of_name = prompt_versions.c.name == name
            connection.execute(select(prompt_versions.c.version).where(of_name).with_for_update())
            state, moves = state_of(connection, name), moves_of(connection, name)
            change = _Change(connection, state, [move for move in moves if move.label == label], label, reason, file)
            work(change)
            return tuple(change.moves)

        try:
            return await self._database.write(locked)
        except _Unresolved as unresolved:
            uses = await last_uses(self._database, [name])
            raise unresolved.error(tuple(uses.get(name, ()))) from None


class _Change:
    """Changes of one label in one transaction, each with its record; what stays as it was leaves none."""

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
        # Asked of the records, because it outlives the label: `none` is no way round it.
        self._protected = next((move.after is not None for move in reversed(past) if move.kind == "protection"), False)

    def find(self, word: str, words: Sequence[str] = ()) -> str:
        """The version that a word means. `words`: those of all arms, which shall mean several."""
        if self._file and word == FILE:
            return self._file.ref.version
        if self.state.lacks_label(word):
            others = {self.find(one) for one in words if one == FILE or not self.state.lacks_label(one)}
            raise _Unresolved(lambda used: _no_such_label(self.state, word, used, others))
        return self.state.find(word)

    def point(self, version: str | None, *, kind: Literal["label", "back"] = "label") -> None:
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
        if wanted != self._protected:
            self._record("protection", PROTECTED if self._protected else None, PROTECTED if wanted else None)
            self._execute(update(prompt_labels).filter_by(**self._of_label).values(protected=wanted))

    def split(self, rollout: Rollout | None) -> None:
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
                f"`{self.label}` of `{self.state.name}` is protected, and moves by force and with a reason only",
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


def _way_back(change: _Change) -> str:
    """Each way back is a step further into the past, also after an earlier way back."""
    visited: list[str | None] = [None]
    for move in change.past:
        if move.kind == "label":
            visited.append(move.after)
        elif move.kind == "back":
            visited.pop()
    if (way := visited[-2] if len(visited) > 1 else None) is None:
        # No label is no version: runs would follow the file, which may be just what is to be undone.
        raise _Unresolved(lambda used: _no_way_back(change, used))
    return way


def _no_way_back(change: _Change, used: Sequence[str]) -> InputInvalid:
    """It offers no version that an earlier way back has left."""
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
    """It offers what runs have now, never the version of another arm: both would be the same."""
    near = did_you_mean(label, state.labels)
    missing = f"`{state.name}` has no label `{label}` yet{near}: runs that follow it get the file. Nothing changed. "
    ways, remedy = _offer(state, label, used, others)
    ways = ways or f"There is no other version than {', '.join(sorted(others))}"
    return PromptVersionMissing(f"{missing}{ways}", ErrorDetail(field=state.name, remedy=remedy))


def _offer(
    state: PromptState, label: str, used: Sequence[str], without: Collection[str | None]
) -> tuple[str, Remedy | None]:
    """The versions that runs have used, newest first, or those in the store, if none was; nothing if there are none.

    The remedy points the label to the first of them.
    """
    stored = [one.version for one in state.versions if one.version not in without]
    before = [version for version in used if version in stored]
    if not (offered := before or stored):
        return "", None
    known = f"{'Runs have used' if before else 'The store has'} {', '.join(offered[:_SHOWN])}"
    return known, Remedy(action="point_label", prompt=state.name, version=offered[0], label=label)


def _check_name(label: str) -> None:
    if label in (BACK, FILE, NONE) or not re.fullmatch(r"[a-z][a-z0-9_-]*", label) or re.fullmatch("[0-9a-f]+", label):
        raise InputInvalid(
            f"{label!r} cannot be a label: begin with a letter, and use lower case letters, digits, `-` and `_`; it "
            f"must not look like a version, nor be {BACK}, {FILE} or {NONE}",
            ErrorDetail(field="label"),
        )


def _open_elsewhere(state: PromptState) -> str:
    return f"; one is for {', '.join(f'`{label}`' for label in state.rollouts)}" if state.rollouts else ""
