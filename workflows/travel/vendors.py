"""Airline, hotel and car rental: a file in place of external systems.

They behave as a vendor must for a saga to be safe: one idempotency key is one booking, and a cancelled key stays
cancelled, even if its booking is requested only afterwards.
"""

import hashlib
import json
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from llmflow.config import Settings
from llmflow.errors import ToolRefused
from workflows.travel.schemas import Booking, Kind, Offer

_TABLE = """
CREATE TABLE IF NOT EXISTS bookings (
    key TEXT PRIMARY KEY, kind TEXT NOT NULL, traveller TEXT NOT NULL, offer TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('booked', 'cancelled', 'never booked'))
)
"""
_OFFERS = Path(__file__).with_name("offers.json")


def offers(kind: Kind, destination: str) -> list[Offer]:
    """Return the offers of a vendor there. Sold-out offers are included: only a booking shows that."""
    return [
        Offer.model_validate(one)
        for one in json.loads(_OFFERS.read_text("utf-8"))
        if (one["kind"], one["destination"]) == (kind, destination)
    ]


def book(key: str, offer: Offer, traveller: str) -> Booking:
    """Book once per key: a repeated key is the same booking.

    Raises:
        ToolRefused: it is sold out, or the key was cancelled.
    """
    left = next(one["left"] for one in json.loads(_OFFERS.read_text("utf-8")) if one["id"] == offer.id)
    if not left:
        raise ToolRefused(f"{offer.id} is sold out")
    with _opened() as file:
        file.execute(
            "INSERT INTO bookings VALUES (?, ?, ?, ?, 'booked') ON CONFLICT DO NOTHING",
            (key, offer.kind, traveller, offer.id),
        )
        [status] = file.execute("SELECT status FROM bookings WHERE key = ?", (key,)).fetchone()
    if status != "booked":
        raise ToolRefused(f"the booking of {offer.id} was cancelled")
    number = f"{offer.kind[0].upper()}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
    return Booking(number=number, offer=offer, traveller=traveller)


def cancel(key: str, offer: Offer, traveller: str) -> str:
    """Cancel the booking of the key, and forbid a later one. Return its new status."""
    with _opened() as file:
        file.execute(
            "INSERT INTO bookings VALUES (?, ?, ?, ?, 'never booked') "
            "ON CONFLICT DO UPDATE SET status = 'cancelled' WHERE status = 'booked'",
            (key, offer.kind, traveller, offer.id),
        )
        [status] = file.execute("SELECT status FROM bookings WHERE key = ?", (key,)).fetchone()
    return str(status)


@contextmanager
def _opened() -> Generator[sqlite3.Connection]:
    """Run one transaction in the file, which several workers share."""
    path = Settings.load().home / "travel.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30)) as file, file:
        file.execute(_TABLE)
        yield file
