"""Texts that both databases can hold."""

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Characters that PostgreSQL texts cannot hold: NUL, and half a surrogate pair."""


def storable(text: str) -> str:
    """Return a text with a replacement for each character that a database cannot hold."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
