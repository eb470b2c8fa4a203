"""Search attributes that runs upsert."""

from collections.abc import Awaitable, Callable

from llmflow.types.attributes import SearchAttributes

KnownAttributes = Callable[[], Awaitable[SearchAttributes]]
"""Returns the wanted search attributes that the namespace has."""
