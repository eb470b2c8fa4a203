"""Texts by their hash: results of tools, of which histories hold the hash alone."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import select

from llmflow.errors import ConversationLost
from llmflow.stores.database import Database
from llmflow.stores.schema import contents
from llmflow.stores.texts import storable
from llmflow.stores.upsert import insert_into
from llmflow.types.conversations import content_hash


async def put_content(database: Database, text: str) -> str:
    """Store a text and return its hash. The same text is stored once.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    text = storable(text)
    row = {"hash": content_hash(text), "text": text, "at": datetime.now(UTC)}
    insert = insert_into(database, contents).values(row)
    await database.write(lambda connection: connection.execute(insert.on_conflict_do_nothing()))
    return content_hash(text)


async def get_contents(database: Database, hashes: Collection[str]) -> dict[str, str]:
    """Return texts by their hash.

    Raises:
        ConversationLost: the store does not have one of them.
        StoreUnavailable: the database does not answer.
    """
    if not hashes:
        return {}
    query = select(contents.c.hash, contents.c.text).where(contents.c.hash.in_(sorted(hashes)))
    found = dict(await database.read(lambda connection: [(row.hash, row.text) for row in connection.execute(query)]))
    if missing := [one for one in hashes if one not in found]:
        raise ConversationLost(f"the store has lost the result {missing[0]} of a tool: was it set back?")
    return found
