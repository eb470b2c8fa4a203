"""Search attributes: made where a worker may, and used where the server has them."""

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
"""Seconds between two looks for a search attribute that the namespace does not have."""
_ATTEMPTS = 5
"""Of an activity that asks while the server does not answer: 15 s. A run that does without them does so to its end, and
no inbox finds it."""


def known_to_the_server(settings: Settings) -> KnownAttributes:
    """Asks the server once in the life of a worker, and again while something is missing.

    What it gives raises ServerUnavailable in an activity that may be tried again.
    """
    known: list[tuple[float, SearchAttributes]] = []

    async def attributes() -> SearchAttributes:
        if not known or (known[0][1] != settings.attributes and monotonic() - known[0][0] > _LOOK_AGAIN):
            known[:] = [(monotonic(), await _asked(activity.client(), settings.attributes))]
        return known[0][1]

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
    """Where this worker may. Where it may not, runs do without them."""
    try:
        if added := await add_attributes(client.temporal, settings.attributes):
            _log.info("new search attributes: %s", ", ".join(added))
    except LLMFlowError as error:
        _log.warning("runs cannot be found by cost and tags: %s", error)
