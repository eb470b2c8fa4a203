"""Removes secrets, and everything that looks like one, from vendors' texts, which end up in histories and logs."""

import re
from urllib.parse import quote

from llmflow.types.urls import without_passwords

_SECRETS = re.compile(
    r"\b(?:(?:sk|rk|xai|nvapi)-|(?:sk|gsk|hf|r8)_)[\w*.-]{6,}"  # also when the vendor has masked the middle
    r"|\bAIza[\w*-]{10,}"
    r"|(?i:\bbearer\s+[\w.~+/=*-]{16,})"
    r"|(?i:(?<=\bauthorization)[\"']?\s*[:=]\s*[\"']?(?:bearer\s+|basic\s+)?[^\s\"',;)}\]]+)"
)

_SHORTEST_SECRET = 8


def scrub(text: str, secrets: tuple[str, ...]) -> str:
    """Replace the secrets of a connection, the passwords of URLs, and everything else that looks like a secret.

    A shorter secret is none that a vendor gives out, and stands in words: `none`, `test`.
    """
    for secret in secrets:
        for written in (secret, quote(secret, safe="")):
            if len(written) >= _SHORTEST_SECRET:
                text = text.replace(written, "[secret]")
    return _SECRETS.sub("[secret]", without_passwords(text))
