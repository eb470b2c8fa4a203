"""The environment's HTTP proxy, with its password apart: the HTTP library quotes URLs in its exceptions."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes, urlsplit
from urllib.request import getproxies, proxy_bypass

from llmflow.errors import ConfigInvalid

_PROXY = re.compile(r"(?:([a-z][\w+.-]*)://)?(?:(.*)@)?([^@]*)", re.IGNORECASE | re.DOTALL)
"""Scheme, login and place. A password may hold any character, though some belong percent-encoded."""


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy."""

    url: str | None
    """Its URL, without a login; `None` for a direct connection."""
    headers: Mapping[str, str] = field(repr=False)
    """Its login."""


def proxy_for(base_url: str) -> Proxy:
    """Return the environment's proxy for a URL.

    Raises:
        ConfigInvalid: it is not a proxy of HTTP, or its URL is invalid.
    """
    url, proxies = urlsplit(base_url), getproxies()
    value = proxies.get(url.scheme) or proxies.get("all")
    # NO_PROXY has hosts, and hosts with a port.
    if not value or proxy_bypass(url.hostname or "") or proxy_bypass(url.netloc.rpartition("@")[2]):
        return Proxy(None, {})
    found = _PROXY.fullmatch(value.strip())
    scheme, login, place = found.groups() if found else (None, None, "")
    scheme = (scheme or "http").lower()
    if scheme not in {"http", "https"}:
        raise ConfigInvalid(
            f"the environment names a proxy of `{scheme}` for {url.hostname}: only HTTP proxies are used; set "
            "HTTPS_PROXY or HTTP_PROXY to one like http://proxy:3128, or NO_PROXY to the host"
        )
    address = f"{scheme}://{place}"
    if not _is_address(address):
        raise ConfigInvalid(  # without the value, because its password may be anywhere in it
            f"the environment's proxy for {url.hostname} is not a URL; set HTTPS_PROXY or HTTP_PROXY to one like "
            "http://proxy:3128, with special characters of a password percent-encoded"
        )
    return Proxy(address, _login(login) if login else {})


def _login(login: str) -> dict[str, str]:
    user, _, password = login.partition(":")
    plain = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
    return {"Proxy-Authorization": f"Basic {b64encode(plain).decode()}"}


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", url)
    except ValueError:  # of the port
        return False
