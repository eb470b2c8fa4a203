"""Prompt versions in the store: one row each, with its first author and time."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from llmflow.prompts.prompt import PromptVersion
from llmflow.stores.database import Database
from llmflow.stores.schema import prompt_versions
from llmflow.stores.upsert import insert_into
from llmflow.types.refs import PromptRef


def add_versions(
    database: Database, connection: Connection, prompts: Iterable[PromptVersion], by: str
) -> tuple[PromptRef, ...]:
    """Store the versions that the store does not have yet, in the transaction of this connection.

    Returns:
        The new ones.
    """
    now, columns = datetime.now(UTC), prompt_versions.c
    rows = {
        one.ref: {"name": one.ref.name, "version": one.ref.version, "text": one.text, "at": now, "by": by}
        for one in prompts
    }
    of_names = columns.name.in_([ref.name for ref in rows])
    found = connection.execute(select(columns.name, columns.version).where(of_names))
    known = {(name, version) for name, version in found}
    new = tuple(ref for ref in rows if (ref.name, ref.version) not in known)
    if new:
        # Workers that start at once may store the same version.
        insert = insert_into(database, prompt_versions).on_conflict_do_nothing()
        connection.execute(insert, [rows[ref] for ref in new])
    return new
