"""Paid calls as a price list needs them. Stores know no price lists: their caller prices the calls."""

from dataclasses import dataclass
from datetime import datetime

from llmflow.types.usage import Usage


@dataclass(frozen=True, kw_only=True)
class LedgerCall:
    """Fields of a paid call that its price depends on."""

    asked: str
    """`provider:model`."""
    answered: str
    """Model that answered, without the provider."""
    usage: Usage
    at: datetime
    tier: str | None
    region: str | None
    base_url: str | None
