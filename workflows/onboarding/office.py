"""Mail, accounts and purchasing: a file in place of external systems. One idempotency key is one effect."""

import hashlib
import json
import sqlite3
from contextlib import closing

from llmflow.config import Settings

_TABLE = "CREATE TABLE IF NOT EXISTS effects (key TEXT PRIMARY KEY, kind TEXT NOT NULL, what TEXT NOT NULL)"


def effect(key: str, kind: str, **what: object) -> str:
    """Record an effect once per key, and return its number."""
    path = Settings.load().home / "onboarding.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30)) as file, file:
        file.execute(_TABLE)
        file.execute("INSERT INTO effects VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (key, kind, json.dumps(what)))
    return f"{kind[0].upper()}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
