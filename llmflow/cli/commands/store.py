"""`llmflow store`: the database of calls, answers and prompts."""

from llmflow.cli.bridge import run
from llmflow.cli.options import AsJson
from llmflow.cli.output import out, print_json
from llmflow.config import Settings
from llmflow.service.stores import upgrade_store


def upgrade(*, json: AsJson = False) -> None:
    """Bring the store to the schema of this llmflow.

    It upgrades the store of LLMFLOW_STORE, and keeps all data. A worker upgrades an SQLite file, too. PostgreSQL needs
    this command: once before the first worker starts, and after each new version of llmflow.

    Example: llmflow store upgrade
    """
    upgraded = run(upgrade_store(Settings.load().store_url))
    if json:
        print_json(upgraded)
    elif upgraded.changed:
        out.print(f"{upgraded.store} has the current schema now")
    else:
        out.print(f"{upgraded.store} has the current schema already")
