"""Orders of the shop, and the bank that pays money back: files in place of external systems."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from llmflow.config import Settings
from workflows.support.schemas import Order, Receipt

_ORDERS = Path(__file__).with_name("orders.json")
_TABLE = (
    "CREATE TABLE IF NOT EXISTS refunds (key TEXT PRIMARY KEY, order_number TEXT NOT NULL, amount INTEGER NOT NULL)"
)


def orders() -> dict[str, Order]:
    """Return all orders by their number."""
    return {one["number"]: Order.model_validate(one) for one in json.loads(_ORDERS.read_text("utf-8"))}


def pay(key: str, order: str, amount: int) -> Receipt:
    """Pay back once per key: a repeated key is the same payment."""
    path = Settings.load().home / "support.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30)) as file, file:
        file.execute(_TABLE)
        file.execute("INSERT INTO refunds VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (key, order, amount))
        [paid] = file.execute("SELECT amount FROM refunds WHERE key = ?", (key,)).fetchone()
    return Receipt(number=f"R-{hashlib.sha256(key.encode()).hexdigest()[:8]}", order=order, amount=paid)
