"""Reserves, post office and bank of an insurer: a file in place of external systems.

Money has a business key, the number of the claim: whatever asks, a claim is paid once. `asked` counts who asks: each
call of a tool with its idempotency key, so that a test can see calls that the business key would hide.
"""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager

from llmflow.config import Settings
from llmflow.errors import ToolRefused
from workflows.claims.schemas import Claim

_TABLES = """
CREATE TABLE IF NOT EXISTS asked (key TEXT, what TEXT, claim TEXT, PRIMARY KEY (key, what));
CREATE TABLE IF NOT EXISTS reserves (claim TEXT PRIMARY KEY, cents INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS letters (claim TEXT, text TEXT, PRIMARY KEY (claim, text));
CREATE TABLE IF NOT EXISTS payments (claim TEXT PRIMARY KEY, account TEXT NOT NULL, cents INTEGER NOT NULL);
"""
_CLOSED = "0000"  # last digits of accounts that were closed


def reserve(key: str, claim: Claim) -> None:
    """Put the money of a claim aside."""
    with _opened(key, "reserve", claim) as file:
        file.execute("INSERT INTO reserves VALUES (?, ?) ON CONFLICT DO NOTHING", (claim.number, claim.cents))


def release(key: str, claim: Claim) -> None:
    """Give the money back that was put aside, if it was."""
    with _opened(key, "release", claim) as file:
        file.execute("DELETE FROM reserves WHERE claim = ?", (claim.number,))


def write(key: str, what: str, claim: Claim, text: str) -> None:
    """Send a letter; the same one to the same claim goes out once."""
    with _opened(key, what, claim) as file:
        file.execute("INSERT INTO letters VALUES (?, ?) ON CONFLICT DO NOTHING", (claim.number, text))


def pay(key: str, claim: Claim) -> None:
    """Pay a claim once.

    Raises:
        ToolRefused: the account is closed, or the claim was paid another amount.
    """
    if claim.account.endswith(_CLOSED):
        raise ToolRefused(f"account {claim.account} is closed")
    with _opened(key, "pay", claim) as file:
        values = (claim.number, claim.account, claim.cents)
        file.execute("INSERT INTO payments VALUES (?, ?, ?) ON CONFLICT DO NOTHING", values)
        [paid] = file.execute("SELECT cents FROM payments WHERE claim = ?", (claim.number,)).fetchone()
    if paid != claim.cents:
        raise ToolRefused(f"claim {claim.number} was paid {paid} cents already")


@contextmanager
def _opened(key: str, what: str, claim: Claim) -> Generator[sqlite3.Connection]:
    """Run one transaction in the file, which several workers share, and note who asks."""
    path = Settings.load().home / "claims.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30)) as file:
        file.executescript(_TABLES)
        with file:
            file.execute("INSERT INTO asked VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (key, what, claim.number))
            yield file
