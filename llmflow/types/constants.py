"""Constants of an App: its `config`, pinned by each run."""

from pydantic import JsonValue

from llmflow.types.base import CompactWire
from llmflow.types.forks import Fork

__all__: list[str] = []

Constants = dict[str, JsonValue]
"""Constants by name, as JSON data."""


class ConstantsRequest(CompactWire):
    """Input of the activity that reads an App's constants."""

    app: str
    fork: Fork | None = None


class PinnedConstants(CompactWire):
    """Constants of an App, as a run pins them."""

    app: str
    values: Constants
