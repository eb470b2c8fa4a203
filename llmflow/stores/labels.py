"""Labels and rollouts, as people move them: each change in one transaction with its record."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection, Executable, delete, insert, select, update

from llmflow.errors import ErrorDetail, InputInvalid, did_you_mean
from llmflow.stores.database import Database
from llmflow.stores.prompt_states import Move, PromptState, moves_of, state_of, states_of_app
from llmflow.stores.prompt_uses import last_uses
from llmflow.stores.rollouts import Arm, Rollout, Unit, deal
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


class _NoWayBack(Exception):
    """The label pointed nowhere before. What runs have used is read outside of the transaction: it may take long."""

    def __init__(self, state: PromptState) -> None:
        self.state = state


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
        self, name: str, label: str, to: str, reason: Reason, *, protect: bool | None = None
    ) -> tuple[Move, ...]:
        """Let a label point to another version.

        Args:
            name: Of the prompt.
            label: A new one is made.
            to: A version or its first digits, another label, `back` or `none`. `back` goes to a version, or is refused.
            reason: Kept with the move.
            protect: Whether later moves need force and a reason; as it was if left out. It outlives the label.

        Returns:
            What has changed.
        """

        def work(change: "_Change") -> None:
            before = change.state.labels.get(label)
            if change.state.rollouts.get(label):
                raise InputInvalid(
                    f"a rollout of `{label}` is open, and decides over the label: end it first, with "
                    f"`llmflow prompts rollout {name} --end`"
                )
            if before is None:
                _check_name(label)
            if to == BACK:
                change.point(_way_back(change), kind="back")
            else:
                change.point(None if to == NONE else change.state.find(to))
            if protect is not None:
                change.protect(protect)

        try:
            return await self._change(name, label, reason, work)
        except _NoWayBack as nowhere:
            uses = await last_uses(self._database, [name])
            raise InputInvalid(_ways_instead(nowhere.state, label, tuple(uses.get(name, ())))) from None

    async def roll_out(
        self, name: str, label: str, arms: Mapping[str, tuple[str, int]], reason: Reason, *, unit: Unit | None = None
    ) -> tuple[Move, ...]:
        """Split a label between versions, or change how it is split. As few units as possible get another version.

        Args:
            name: Of the prompt.
            label: A rollout of it wins over where it points.
            arms: For each arm a version, as in `move`, and how many of the 10,000 buckets it gets.
            reason: Kept with the change.
            unit: Whose name decides; as it was if left out, and the run at first.

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
            change.split(
                Rollout(
                    salt=before.salt if before else secrets.token_hex(8),
                    unit=unit or (before.unit if before else "run"),
                    arms=tuple(
                        Arm(arm=arm, version=change.state.find(word), buckets=buckets[arm])
                        for arm, (word, _) in arms.items()
                    ),
                )
            )

        return await self._change(name, label, reason, work)

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
        self, name: str, label: str, reason: Reason, work: Callable[["_Change"], None]
    ) -> tuple[Move, ...]:
        def locked(connection: Connection) -> tuple[Move, ...]:
            # Two people who change one prompt at once come one after the other. SQLite has locked everything already.
            of_name = prompt_versions.c.name == name
            connection.execute(select(prompt_versions.c.version).where(of_name).with_for_update())
            state, moves = state_of(connection, name), moves_of(connection, name)
            change = _Change(connection, state, [move for move in moves if move.label == label], label, reason)
            work(change)
            return tuple(change.moves)

        return await self._database.write(locked)


class _Change:
    """Changes of one label in one transaction, each with its record; what stays as it was leaves none."""

    def __init__(
        self, connection: Connection, state: PromptState, past: Sequence[Move], label: str, reason: Reason
    ) -> None:
        self.state = state
        self.past = past
        self.label = label
        self.moves: list[Move] = []
        self._connection = connection
        self._reason = reason
        self._of_label = {"name": state.name, "label": label}
        # Asked of the records, because it outlives the label: `none` is no way round it.
        self._protected = next((move.after is not None for move in reversed(past) if move.kind == "protection"), False)

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
                f"`{self.label}` of `{self.state.name}` is protected: add --force, and say with --why what for"
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
        raise _NoWayBack(change.state)
    return way


def _ways_instead(state: PromptState, label: str, used: Sequence[str]) -> str:
    """Of the versions that runs have used, newest first, the others than now; of those in the store, if none was."""
    found = state.labels.get(label)
    now = found.version if found else next(iter(used), None)
    stored = [one.version for one in state.versions if one.version != now]
    before = [version for version in used if version in stored]
    nowhere = (
        f"`{label}` of `{state.name}` pointed to no version before, so there is no way back, and nothing changed. "
    )
    if not stored:
        return f"{nowhere}The store has no other version; `llmflow prompts push APP` stores that of a file"
    others = before or stored
    known = f"{'Runs have used' if before else 'The store has'} {', '.join(others[:_SHOWN])}"
    return (
        f"{nowhere}{known}: type `llmflow prompts label {state.name} {others[0]} {label} --why ...`, "
        "or `none` for the version if runs shall follow the file"
    )


def _check_name(label: str) -> None:
    if label in (BACK, FILE, NONE) or not re.fullmatch(r"[a-z][a-z0-9_-]*", label) or re.fullmatch("[0-9a-f]+", label):
        raise InputInvalid(
            f"{label!r} cannot be a label: begin with a letter, and use lower case letters, digits, `-` and `_`; it "
            f"must not look like a version, nor be {BACK}, {FILE} or {NONE}",
            ErrorDetail(field="label"),
        )


def _open_elsewhere(state: PromptState) -> str:
    return f"; one is for {', '.join(f'`{label}`' for label in state.rollouts)}" if state.rollouts else ""
