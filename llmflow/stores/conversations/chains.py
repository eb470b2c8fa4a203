"""Reads conversations: the entries up to a head, over all its branches, with their hashes checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import CTE, ColumnElement, Connection, and_, func, literal, select

from llmflow.errors import ConversationLost, StoreUnavailable
from llmflow.stores.database import Database
from llmflow.stores.schema import conversation_branches, conversation_entries
from llmflow.types.conversations import Cut, Entry, Head, hash_of

_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


class Placed(NamedTuple):
    """An entry with its position."""

    position: int
    entry: Entry

    @property
    def since(self) -> int:
        """Position from which a `Cut` sends on; 0 for any other entry."""
        if not isinstance(self.entry, Cut):
            return 0
        return self.position if self.entry.since is None else self.entry.since


@dataclass(frozen=True)
class Chain:
    """The part of a conversation that is sent: the entries since its window, and the last instructions."""

    entries: Sequence[Placed]
    """Entries since the last `Cut` that still count, in order; the last `Instructions` are first if they are older."""
    cut: Placed | None
    """The last `Cut`, which also is among the entries."""
    writer: str
    """Id of the run that writes the branch of the head."""


class _EntryRow(NamedTuple):
    position: int
    hash: str
    entry: str


async def read_chain(database: Database, head: Head, *, whole: bool = False) -> Chain:
    """Read a conversation up to a head; `whole`: also what lies before its window.

    Raises:
        ConversationLost: its entries are not those that the head names.
        StoreUnavailable: the store does not answer, or does not have the last entries yet.
    """
    return await database.read(lambda connection: _chain(connection, head, whole))


def _chain(connection: Connection, head: Head, whole: bool) -> Chain:
    columns = conversation_branches.c
    writer = connection.scalar(select(columns.run_id).where(columns.branch == head.branch))
    if writer is None:
        raise _not_yet(head)
    branches = _branches(head)
    cut, asked = (_last(connection, branches, kind) for kind in ("cut", "instructions"))
    since = cut.since if cut and not whole else 0
    entries = _checked(connection, branches, since, head)
    if asked and asked.position < since:
        entries = [asked, *entries]
    return Chain(entries, cut, writer)


def _branches(head: Head) -> CTE:
    """Select the branches of a conversation, with the first and the last position of each that belong to it.

    One query, because each run that goes on with a conversation begins a branch.
    """
    columns = conversation_branches.c
    last = literal(head.position).label("last")
    begin = select(columns.branch, columns.parent, columns.parent_position, last).where(columns.branch == head.branch)
    found = begin.cte("branches", recursive=True)
    before = select(columns.branch, columns.parent, columns.parent_position, found.c.parent_position)
    return found.union_all(before.where(columns.branch == found.c.parent))


def _last(connection: Connection, branches: CTE, kind: str) -> Placed | None:
    columns = conversation_entries.c
    query = select(columns.position, columns.entry).select_from(conversation_entries.join(branches, _belongs(branches)))
    query = query.where(columns.kind == kind).order_by(columns.position.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return Placed(row.position, _ENTRY.validate_json(row.entry)) if row else None


def _checked(connection: Connection, branches: CTE, since: int, head: Head) -> list[Placed]:
    columns, first = conversation_entries.c, max(since - 1, 0)
    if since > head.position + 1:
        raise ConversationLost(f"conversation {head} sends what comes after its entry {since - 1}, and ends before")
    query = select(columns.position, columns.hash, columns.entry)
    query = query.select_from(conversation_entries.join(branches, _belongs(branches))).where(columns.position >= first)
    rows = [_EntryRow(*row) for row in connection.execute(query.order_by(columns.position))]
    if [row.position for row in rows] != list(range(first, head.position + 1)):
        raise _not_yet(head)
    _check_hashes(rows, head, from_start=since == 0)
    return [Placed(row.position, _ENTRY.validate_json(row.entry)) for row in rows if row.position >= since]


def _belongs(branches: CTE) -> ColumnElement[bool]:
    columns = conversation_entries.c
    first = func.coalesce(branches.c.parent_position + 1, 0)
    return and_(columns.branch == branches.c.branch, columns.position.between(first, branches.c.last))


def _check_hashes(rows: Sequence[_EntryRow], head: Head, *, from_start: bool) -> None:
    before = "" if from_start else rows[0].hash
    for row in rows if from_start else rows[1:]:
        if row.hash != hash_of(before, row.entry):
            raise ConversationLost(f"entry {row.position} of conversation {head} is not the one that was written")
        before = row.hash
    if before != head.hash:
        raise ConversationLost(f"the store has other entries for conversation {head}: was it set back?")


def _not_yet(head: Head) -> StoreUnavailable:
    return StoreUnavailable(
        f"the store does not have the last entries of conversation {head} yet: another worker's outbox may hold them"
    )
