"""Hosts of vendors."""

from urllib.parse import urlsplit


def host_of(base_url: str | None) -> str:
    """Return the host of a URL, in lower case; empty without one."""
    return urlsplit(base_url or "").hostname or ""


def is_at(base_url: str, *domains: str) -> bool:
    """Return True for a URL in one of the domains, such as `openai.com`."""
    host = f".{host_of(base_url)}"
    return any(host.endswith(f".{domain}") for domain in domains)
