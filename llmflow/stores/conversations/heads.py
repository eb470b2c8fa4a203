"""Heads of conversations: which ones a run has, and where they end."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict
from sqlalchemy import or_, select

from llmflow.stores.conversations.chains import read_chain
from llmflow.stores.conversations.contents import get_contents
from llmflow.stores.database import Database
from llmflow.stores.schema import conversation_heads
from llmflow.types.base import changed
from llmflow.types.conversations import Answers, Entry, Head, contents_of


class KeptConversation(BaseModel):
    """A conversation of a run."""

    model_config = ConfigDict(frozen=True)

    run: str
    """Workflow id of the run."""
    name: str
    """Name in the run."""
    head: Head
    entries: tuple[Entry, ...]
    """All that was said, in order. Results of tools are whole."""


async def conversations_of(database: Database, run: str) -> Sequence[tuple[str, str, Head]]:
    """Return run, name and head of the conversations of a run and of the runs below it, the newest first.

    A run that continued as new has the conversation of its last run under each name.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    columns = conversation_heads.c
    same = or_(columns.root_id == run, columns.workflow_id == run)
    query = select(conversation_heads).where(same).order_by(columns.at.desc(), columns.name)
    rows = await database.read(lambda connection: connection.execute(query).all())
    found: dict[tuple[str, str], Head] = {}
    for row in rows:
        found.setdefault((row.workflow_id, row.name), Head(branch=row.branch, position=row.position, hash=row.hash))
    return [(workflow, name, head) for (workflow, name), head in found.items()]


async def read_conversation(database: Database, run: str, name: str, head: Head) -> KeptConversation:
    """Read a whole conversation.

    Raises:
        ConversationLost: the store does not have its entries, or has other ones.
        StoreUnavailable: the database does not answer.
    """
    chain = await read_chain(database, head, whole=True)
    contents = await get_contents(database, contents_of(placed.entry for placed in chain.entries))
    entries = tuple(_whole(placed.entry, contents) for placed in chain.entries)
    return KeptConversation(run=run, name=name, head=head, entries=entries)


def _whole(entry: Entry, contents: dict[str, str]) -> Entry:
    if not isinstance(entry, Answers):
        return entry
    results = [changed(one, text=contents[one.content] if one.content else one.text) for one in entry.results]
    return changed(entry, results=tuple(results))
