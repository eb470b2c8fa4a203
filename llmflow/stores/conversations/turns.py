"""A turn: the new entries of a conversation that one call appends, together with its row of the ledger."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Insert

from llmflow.stores.database import Database
from llmflow.stores.schema import conversation_branches, conversation_entries, conversation_heads
from llmflow.stores.upsert import insert_into
from llmflow.types.conversations import Head


class EntryRow(BaseModel):
    """An entry as the store keeps it."""

    model_config = ConfigDict(frozen=True)

    kind: str
    hash: str
    entry: str
    """The entry as JSON, as it was hashed."""


class Turn(BaseModel):
    """The entries that one call appends to a conversation. Writing it again changes nothing."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Name of the conversation in its run."""
    head: Head
    """End of the conversation with the new entries."""
    entries: tuple[EntryRow, ...]
    forks: Head | None = None
    """Last entry before the branch, if the turn begins one."""
    begins: bool
    """True if the turn begins a branch."""
    run_id: str
    workflow_id: str
    root_id: str
    tenant: str | None
    user: str | None
    at: datetime


class TurnWriter:
    """Writes turns inside of a transaction. Its statements are built once."""

    def __init__(self, database: Database) -> None:
        self._branch: Insert = insert_into(database, conversation_branches).on_conflict_do_nothing()
        self._entry: Insert = insert_into(database, conversation_entries).on_conflict_do_nothing()
        into = insert_into(database, conversation_heads)
        moved = {name: into.excluded[name] for name in ("branch", "position", "hash", "at")}
        self._head: Insert = into.on_conflict_do_update(
            index_elements=conversation_heads.primary_key,
            set_=moved,
            where=into.excluded.at >= conversation_heads.c.at,  # the outbox may be late
        )

    def write(self, connection: Connection, turns: Sequence[Turn]) -> None:
        """Write turns, in any order."""
        if not turns:
            return
        if begun := [_branch_row(turn) for turn in turns if turn.begins]:
            connection.execute(self._branch, begun)
        connection.execute(self._entry, [row for turn in turns for row in _entry_rows(turn)])
        connection.execute(self._head, [_head_row(turn) for turn in turns])


def _branch_row(turn: Turn) -> dict[str, object]:
    return {
        "branch": turn.head.branch,
        "parent": turn.forks.branch if turn.forks else None,
        "parent_position": turn.forks.position if turn.forks else None,
        "run_id": turn.run_id,
        "at": turn.at,
    }


def _entry_rows(turn: Turn) -> list[dict[str, object]]:
    first = turn.head.position - len(turn.entries) + 1
    return [
        {"branch": turn.head.branch, "position": first + number, **entry.model_dump()}
        for number, entry in enumerate(turn.entries)
    ]


def _head_row(turn: Turn) -> dict[str, object]:
    return {
        "run_id": turn.run_id,
        "name": turn.name,
        "workflow_id": turn.workflow_id,
        "root_id": turn.root_id,
        **dict(turn.head),
        "tenant": turn.tenant,
        "user_id": turn.user,
        "at": turn.at,
    }
