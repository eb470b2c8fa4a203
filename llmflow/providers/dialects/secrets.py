"""Removes keys, and everything that looks like one, from vendors' texts, which end up in histories and logs."""

import re

_SECRETS = re.compile(
    r"\b(?:(?:sk|rk|xai|nvapi)-|(?:sk|gsk|hf|r8)_)[\w*.-]{6,}"  # also when the vendor has masked the middle
    r"|\bAIza[\w*-]{10,}"
    r"|(?i:\bbearer\s+[\w.~+/=*-]{16,})"
    r"|(?i:(?<=\bauthorization)[\"']?\s*[:=]\s*[\"']?(?:bearer\s+|basic\s+)?[^\s\"',;)}\]]+)"
)


def scrub(text: str, key: str | None) -> str:
    """Replace the key, and everything else that looks like a secret."""
    if key:
        text = text.replace(key, "[secret]")
    return _SECRETS.sub("[secret]", text)
