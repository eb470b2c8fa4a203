"""The search attributes that runs write."""

from collections.abc import Awaitable, Callable

from llmflow.types.attributes import SearchAttributes

KnownAttributes = Callable[[], Awaitable[SearchAttributes]]
"""Says which search attributes the namespace has, of those that runs shall write."""
