"""The environment's proxy, with its password apart: the HTTP library quotes URLs in its exceptions."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import Literal
from urllib.parse import unquote, unquote_to_bytes, urlsplit
from urllib.request import getproxies, proxy_bypass

from llmflow.errors import ConfigInvalid

_PROXY = re.compile(r"(?:([a-z][\w+.-]*)://)?(?:(.*)@)?([^@]*)", re.IGNORECASE | re.DOTALL)
"""Scheme, login and place. A password may hold any character, though some belong percent-encoded."""
_SOCKS_PORT = 1080
_VERSIONS: Mapping[str, Literal["SOCKS4", "SOCKS5"]] = MappingProxyType(
    {"socks": "SOCKS5", "socks5": "SOCKS5", "socks5h": "SOCKS5", "socks4": "SOCKS4", "socks4a": "SOCKS4"}
)


@dataclass(frozen=True, kw_only=True)
class Socks:
    """A SOCKS proxy."""

    version: Literal["SOCKS4", "SOCKS5"]
    host: str
    port: int = _SOCKS_PORT
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Proxy:
    """A proxy; without `url` and `socks`, a direct connection."""

    url: str | None = None
    """URL of an HTTP proxy, without a login."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Login for the HTTP proxy."""
    socks: Socks | None = None


def proxy_for(base_url: str) -> Proxy:
    """Return the environment's proxy for a URL.

    Raises:
        ConfigInvalid: it is a proxy neither of HTTP nor of SOCKS, its URL is invalid, or it needs an extra that is not
            installed.
    """
    url, proxies = urlsplit(base_url), getproxies()
    value = proxies.get(url.scheme) or proxies.get("all")
    if not value or _is_direct(base_url, proxies.get("no", "")):
        return Proxy()
    found = _PROXY.fullmatch(value.strip())
    scheme, login, place = found.groups() if found else (None, None, "")
    scheme = (scheme or "http").lower()
    if scheme not in {"http", "https", *_VERSIONS}:
        raise ConfigInvalid(
            f"the environment names a proxy of `{scheme}` for {url.hostname}: only HTTP and SOCKS proxies are used; set"
            " HTTPS_PROXY or HTTP_PROXY to one like http://proxy:3128 or socks5://proxy:1080, or NO_PROXY to the host"
        )
    address = f"{scheme}://{place}"
    if not _is_address(address):
        raise ConfigInvalid(  # without the value, because its password may be anywhere in it
            f"the environment's proxy for {url.hostname} is not a URL; set HTTPS_PROXY or HTTP_PROXY to one like "
            "http://proxy:3128, with special characters of a password percent-encoded"
        )
    if scheme in _VERSIONS:
        return Proxy(socks=_socks(scheme, address, login, url.hostname))
    return Proxy(address, _login(login) if login else {})


def _socks(scheme: str, address: str, login: str | None, host: str | None) -> Socks:
    if find_spec("aiohttp_socks") is None:
        raise ConfigInvalid(
            f"the environment has a proxy of `{scheme}` for {host}, which needs an extra: pip install 'llmflow[socks]'"
        )
    place = urlsplit(address)
    user, _, password = (login or "").partition(":")
    return Socks(
        version=_VERSIONS[scheme],
        host=place.hostname or "",
        port=place.port or _SOCKS_PORT,
        user=unquote(user) or None,
        password=unquote(password) or None,
    )


def _is_direct(base_url: str, no_proxy: str) -> bool:
    """Return True for a host of NO_PROXY, which has hosts, hosts with a port, and networks such as 10.0.0.0/8."""
    url = urlsplit(base_url)
    host = url.hostname or ""
    if proxy_bypass(host) or proxy_bypass(url.netloc.rpartition("@")[2]):
        return True
    return any(_is_in(host, network.strip()) for network in no_proxy.split(",") if "/" in network)


def _is_in(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:  # it is a name, or no network
        return False


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
