"""Inserts that may meet a row which is there already: `on_conflict_do_update`, `on_conflict_do_nothing`."""

from typing import TYPE_CHECKING

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

from llmflow.stores.database import Database

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def insert_into(database: Database, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """An insert in the words of the database."""
    if database.is_sqlite:
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # 20 ms at every start of the command line, which SQLite can do without

    return postgresql.insert(table)
