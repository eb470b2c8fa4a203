"""Inserts that may conflict with an existing row: `on_conflict_do_update`, `on_conflict_do_nothing`."""

from typing import TYPE_CHECKING

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

from llmflow.stores.database import Database

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def insert_into(database: Database, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """Return an insert in the dialect of the database."""
    if database.is_sqlite:
        return sqlite.insert(table)
    from sqlalchemy.dialects import (
        postgresql,
    )  # importing it takes 20 ms at every start of the command line, and SQLite does not need it

    return postgresql.insert(table)
