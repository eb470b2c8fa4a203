"""Moves of labels and rollouts: each change in one transaction with its record."""

import re
import secrets
from collections.abc import Mapping

from sqlalchemy import Connection

from llmflow.errors import ErrorDetail, InputInvalid, Remedy, did_you_mean
from llmflow.prompts.prompt import PromptVersion
from llmflow.stores.database import Database
from llmflow.stores.prompts.changes import BACK, FILE, NONE, LabelChange, Reason, change_label, way_back
from llmflow.stores.prompts.rollouts import deal
from llmflow.stores.prompts.states import Move, PromptState, moves_of, state_of, states_of_app
from llmflow.types.rollouts import Arm, Rollout, Unit


class Labels:
    """Labels and rollouts of prompts. A change affects new runs only; open runs keep their versions.

    The methods raise:
        PromptNotFound: the store does not know the prompt; names the nearest.
        PromptVersionMissing: it does not have that version of it.
        InputInvalid: the change is not possible; says what is.
        StoreUnavailable: the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def states(self, app: str) -> dict[str, PromptState]:
        """Return the prompts of an App that the store knows, by name."""
        return await self._database.read(lambda connection: states_of_app(connection, app))

    async def state(self, name: str) -> PromptState:
        """Return the versions, labels and rollouts of one prompt."""
        return await self._database.read(lambda connection: state_of(connection, name))

    async def history(self, name: str) -> tuple[PromptState, tuple[Move, ...]]:
        """Return `get`, and every change of the prompt's labels and rollouts, oldest first."""

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
        """Point a label to another version.

        Args:
            name: Name of the prompt.
            label: Created if it does not exist.
            to: A version or its first digits, another label, `file`, `back` or `none`. `back` goes to a version, or is
                refused.
            reason: Recorded with the move.
            protect: True if later moves need force and a reason; unchanged if left out. It outlives the label.
            file: Version that `file` means. It is stored only if the change is made.

        Returns:
            The changes.
        """

        def work(change: LabelChange) -> None:
            before = change.state.labels.get(label)
            if change.state.rollouts.get(label):
                raise InputInvalid(
                    f"a rollout of `{label}` is open, and decides over the label, so end it first",
                    ErrorDetail(remedy=Remedy(action="end_rollout", prompt=name, label=label)),
                )
            if before is None:
                _check_name(label)
            if to == BACK:
                change.point(way_back(change), kind="back")
            else:
                change.point(None if to == NONE else change.find(to))
            if protect is not None:
                change.protect(protect)

        return await change_label(self._database, name, label, reason, work, file)

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
        """Split a label between versions, or change its split. As few units as possible get another version.

        Args:
            name: Name of the prompt.
            label: Its rollout takes precedence over its target.
            arms: For each arm a version, as in `move`, and its number of the 10,000 buckets.
            reason: Recorded with the change.
            unit: Kind of unit whose name decides; unchanged if left out, and the run at first.
            file: As in `move`.

        Returns:
            The changes.
        """

        def work(change: LabelChange) -> None:
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

        return await change_label(self._database, name, label, reason, work, file)

    async def end(self, name: str, label: str, reason: Reason, *, keep: str | None = None) -> tuple[Move, ...]:
        """End a rollout: the label decides again.

        Args:
            name: Name of the prompt.
            label: Label that is split.
            reason: Recorded with the change.
            keep: Arm to whose version the label moves; the label stays if left out.

        Returns:
            The changes.
        """

        def work(change: LabelChange) -> None:
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

        return await change_label(self._database, name, label, reason, work)


def _check_name(label: str) -> None:
    if label in (BACK, FILE, NONE) or not re.fullmatch(r"[a-z][a-z0-9_-]*", label) or re.fullmatch("[0-9a-f]+", label):
        raise InputInvalid(
            f"{label!r} cannot be a label: begin with a letter, and use lower case letters, digits, `-` and `_`; it "
            f"must not look like a version, nor be {BACK}, {FILE} or {NONE}",
            ErrorDetail(field="label"),
        )


def _open_elsewhere(state: PromptState) -> str:
    return f"; one is for {', '.join(f'`{label}`' for label in state.rollouts)}" if state.rollouts else ""
