"""A paid call, as a price list needs it. Stores know no price lists: their caller prices it."""

from dataclasses import dataclass
from datetime import datetime

from llmflow.types.usage import Usage


@dataclass(frozen=True, kw_only=True)
class LedgerCall:
    """What the ledger knows of a paid call that a price depends on."""

    asked: str
    """`provider:model`."""
    answered: str
    """The model that answered, without the provider."""
    usage: Usage
    at: datetime
    tier: str | None
    base_url: str | None
