"""`llmflow store`: the database of calls, answers and prompts."""

from pydantic import BaseModel

from llmflow.cli._options import AsJson
from llmflow.cli._output import out, print_json
from llmflow.cli._run import run
from llmflow.config import Settings
from llmflow.stores.database import Database


class Upgraded(BaseModel):
    """What `llmflow store upgrade` has done."""

    store: str
    """Where it is, without its password."""
    changed: bool
    """Whether there was something to do."""


def upgrade(*, json: AsJson = False) -> None:
    """Bring the store to the schema of this llmflow.

    It is the one of LLMFLOW_STORE; what it holds is kept. An SQLite file is upgraded by its worker, too; PostgreSQL
    only by this: once before the first worker starts, and after each new version of llmflow.

    Example: llmflow store upgrade
    """
    upgraded = run(_upgrade(Settings.load().store_url))
    if json:
        print_json(upgraded)
    elif upgraded.changed:
        out.print(f"{upgraded.store} has the current schema now", markup=False)
    else:
        out.print(f"{upgraded.store} has the current schema already", markup=False)


async def _upgrade(url: str) -> Upgraded:
    database = Database(url)
    try:
        return Upgraded(store=database.name, changed=await database.upgrade())
    finally:
        await database.close()
