"""Reads conversations: the entries up to a head, over all its branches, with their hashes checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, and_, or_, select

from llmflow.errors import ConversationLost, StoreUnavailable
from llmflow.stores.database import Database
from llmflow.stores.schema import conversation_branches, conversation_entries
from llmflow.types.conversations import Cut, Entry, Head, Instructions, hash_of

_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


class Placed(NamedTuple):
    """An entry with its position."""

    position: int
    entry: Entry


@dataclass(frozen=True)
class Chain:
    """The part of a conversation that is sent: the entries since its window, and the last instructions."""

    entries: Sequence[Placed]
    """Entries since the last `Cut` that still count, in order; the last `Instructions` is first if it is older."""
    cut: Placed | None
    """The last `Cut`, which also is among the entries."""
    writer: str
    """Id of the run that writes the branch of the head."""


class _EntryRow(NamedTuple):
    position: int
    hash: str
    entry: str


class Segment(NamedTuple):
    """The part of a branch that belongs to a conversation."""

    branch: str
    first: int
    last: int


async def read_chain(database: Database, head: Head, *, whole: bool = False) -> Chain:
    """Read a conversation up to a head; `whole`: also what lies before its window.

    Raises:
        ConversationLost: its entries are not those that the head names.
        StoreUnavailable: the store does not answer, or does not have the last entries yet.
    """
    return await database.read(lambda connection: _chain(connection, head, whole))


def _chain(connection: Connection, head: Head, whole: bool) -> Chain:
    segments, writer = _segments(connection, head)
    columns = conversation_entries.c
    marks = _select(connection, segments, columns.kind.in_(("instructions", "cut")))
    cut = next((placed for placed in reversed(marks) if isinstance(placed.entry, Cut)), None)
    since = cut.entry.since if cut and isinstance(cut.entry, Cut) and not whole else 0
    entries = _checked(connection, segments, since, head)
    asked = next((placed for placed in reversed(marks) if isinstance(placed.entry, Instructions)), None)
    if asked and asked.position < since:
        entries = [asked, *entries]
    return Chain(entries, cut, writer)


def _segments(connection: Connection, head: Head) -> tuple[list[Segment], str]:
    """Return the parts of the branches, the oldest first, and the run that writes the last one."""
    found: list[Segment] = []
    branch, last, writer = head.branch, head.position, None
    columns = conversation_branches.c
    while True:
        query = select(columns.parent, columns.parent_position, columns.run_id).where(columns.branch == branch)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise _not_yet(head)
        writer = writer or row.run_id
        found.append(Segment(branch, 0 if row.parent is None else row.parent_position + 1, last))
        if row.parent is None:
            return found[::-1], writer
        branch, last = row.parent, row.parent_position


def _select(connection: Connection, segments: Sequence[Segment], only: ColumnElement[bool]) -> list[Placed]:
    columns = conversation_entries.c
    query = select(columns.position, columns.entry).where(_within(segments, 0), only).order_by(columns.position)
    return [Placed(row.position, _ENTRY.validate_json(row.entry)) for row in connection.execute(query)]


def _checked(connection: Connection, segments: Sequence[Segment], since: int, head: Head) -> list[Placed]:
    columns = conversation_entries.c
    query = select(columns.position, columns.hash, columns.entry).where(_within(segments, since - 1))
    rows = [_EntryRow(*row) for row in connection.execute(query.order_by(columns.position))]
    first = max(since - 1, 0)
    if [row.position for row in rows] != list(range(first, head.position + 1)):
        raise _not_yet(head)
    _check_hashes(rows, head, from_start=since == 0)
    return [Placed(row.position, _ENTRY.validate_json(row.entry)) for row in rows if row.position >= since]


def _check_hashes(rows: Sequence[_EntryRow], head: Head, *, from_start: bool) -> None:
    before = "" if from_start else rows[0].hash
    for row in rows if from_start else rows[1:]:
        if row.hash != hash_of(before, row.entry):
            raise ConversationLost(f"entry {row.position} of conversation {head} is not the one that was written")
        before = row.hash
    if before != head.hash:
        raise ConversationLost(f"the store has other entries for conversation {head}: was it set back?")


def _within(segments: Sequence[Segment], since: int) -> ColumnElement[bool]:
    columns = conversation_entries.c
    return or_(
        *(
            and_(columns.branch == one.branch, columns.position.between(max(one.first, since), one.last))
            for one in segments
            if one.last >= since
        )
    )


def _not_yet(head: Head) -> StoreUnavailable:
    return StoreUnavailable(
        f"the store does not have the last entries of conversation {head} yet: another worker's outbox may hold them"
    )
