"""Removes keys, and everything that looks like one, from vendors' texts, which end up in histories and logs."""

import re

from llmflow.types.urls import without_passwords

_SECRETS = re.compile(
    r"\b(?:(?:sk|rk|xai|nvapi)-|(?:sk|gsk|hf|r8)_)[\w*.-]{6,}"  # also when the vendor has masked the middle
    r"|\bAIza[\w*-]{10,}"
    r"|(?i:\bbearer\s+[\w.~+/=*-]{16,})"
    r"|(?i:(?<=\bauthorization)[\"']?\s*[:=]\s*[\"']?(?:bearer\s+|basic\s+)?[^\s\"',;)}\]]+)"
)

_SHORTEST_KEY = 8


def scrub(text: str, key: str | None) -> str:
    """Replace the key, the passwords of URLs, and everything else that looks like a secret.

    A shorter key is none that a vendor gives out, and stands in words: `none`, `test`.
    """
    if key and len(key) >= _SHORTEST_KEY:
        text = text.replace(key, "[secret]")
    return _SECRETS.sub("[secret]", without_passwords(text))
