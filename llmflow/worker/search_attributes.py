"""Search attributes: added if the worker is allowed to, and used if the server has them."""

import logging
from time import monotonic

from temporalio import activity
from temporalio.client import Client as TemporalClient

from llmflow.activities.attributes import KnownAttributes
from llmflow.client import Client
from llmflow.client.search_attributes import add_attributes, known_attributes
from llmflow.config import Settings
from llmflow.errors import LLMFlowError
from llmflow.types.attributes import SearchAttributes

_log = logging.getLogger("llmflow.worker")
_LOOK_AGAIN = 60.0
"""Seconds between two checks for a missing search attribute."""
_ATTEMPTS = 5
"""Attempts while the server does not answer, 15 s in all. A run without search attributes stays without, and no inbox
finds it."""


def known_to_the_server(settings: Settings) -> KnownAttributes:
    """Make a function that asks the server once for each namespace, and again while an attribute is missing.

    It raises ServerUnavailable in an activity with attempts left.
    """
    known: dict[str, tuple[float, SearchAttributes]] = {}

    async def attributes() -> SearchAttributes:
        client = activity.client()
        asked, found = known.get(client.namespace, (0.0, None))
        if found is None or (found != settings.attributes and monotonic() - asked > _LOOK_AGAIN):
            found = await _asked(client, settings.attributes)
            known[client.namespace] = (monotonic(), found)
        return found

    return attributes


async def _asked(temporal: TemporalClient, wanted: SearchAttributes) -> SearchAttributes:
    try:
        return await known_attributes(temporal, wanted)
    except LLMFlowError as error:
        if error.retryable and activity.info().attempt < _ATTEMPTS:
            raise
        _log.warning("runs cannot be found by cost and tags: %s", error)
        return SearchAttributes()


async def add_missing(client: Client, settings: Settings) -> None:
    """Add missing search attributes, if this worker is allowed to; otherwise runs omit them."""
    try:
        if added := await add_attributes(client.temporal, settings.attributes):
            _log.info("new search attributes: %s", ", ".join(added))
    except LLMFlowError as error:
        _log.warning("runs cannot be found by cost and tags: %s", error)
