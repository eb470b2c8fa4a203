"""Place of run events: the store, or a Redis."""

from llmflow.stores.database import Database
from llmflow.stores.events.redis import RedisStreams
from llmflow.stores.events.sql import SqlStreams
from llmflow.stores.events.streams import EventStreams


def event_streams(url: str) -> EventStreams:
    """Return the streams of a place, without I/O.

    Raises:
        ConfigInvalid: the URL cannot be used, or an extra is missing.
    """
    if url.startswith(("redis://", "rediss://", "unix://")):
        return RedisStreams(url)
    return SqlStreams(Database(url, create=False))
