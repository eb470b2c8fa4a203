"""Prompt versions that the calls of runs have used, out of the ledger, whatever files and labels say."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import func, select

from llmflow.stores.database import PATIENCE, Database
from llmflow.stores.schema import calls


async def last_uses(database: Database, names: Collection[str]) -> Mapping[str, Mapping[str, datetime]]:
    """Return when a call last began with each version, by prompt and version, newest first.

    Args:
        database: The store.
        names: Names of prompts; those without a call are left out.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    last = func.max(calls.c.at).label("last")
    query = select(calls.c.prompt, calls.c.version, last).where(calls.c.prompt.in_(names))
    query = query.group_by(calls.c.prompt, calls.c.version).order_by(last.desc(), calls.c.version)
    uses: defaultdict[str, dict[str, datetime]] = defaultdict(dict)
    for name, version, at in await database.read(lambda connection: connection.execute(query).all(), within=PATIENCE):
        uses[name][version] = at
    return uses
