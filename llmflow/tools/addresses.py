"""Addresses that tools may connect to, and an HTTP transport that enforces them."""

import asyncio
import socket
import ssl
from collections.abc import Iterable
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from llmflow.errors import ConfigInvalid, ToolRefused

if TYPE_CHECKING:
    import httpx

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
_UNICAST = IPv6Network("2000::/3")
_ALSO_PRIVATE = (
    # Not public, although `is_global` of Python 3.11.7 says so.
    IPv4Network("192.0.0.0/24"),  # protocol assignments; one cloud serves its metadata there
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv4Network("168.63.129.16/32"),  # Azure's host, which trusts every guest
    IPv6Network("2002::/16"),  # 6to4: an IPv4 address in disguise
    IPv6Network("3fff::/20"),  # documentation
)


def networks(given: Iterable[str]) -> tuple[Network, ...]:
    """Parse networks such as `10.0.0.0/8`; a single address is a network of one.

    Raises:
        ConfigInvalid: one is not a network; the message names it.
    """
    try:
        return tuple(ip_network(network) for network in given)
    except ValueError as error:
        raise ConfigInvalid(f"`allow_networks`: {error}; write a network such as '10.0.0.0/8'") from None


def is_public(address: Address) -> bool:
    """Return True for an internet address: not of a private network, this machine, or a multicast group."""
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        if inner:
            return is_public(inner)
        if address not in _UNICAST:
            return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _ALSO_PRIVATE)


def _inner(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address inside a translated or mapped IPv6 address."""
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address.ipv4_mapped


def checked_transport(allowed: tuple[Network, ...]) -> "httpx.AsyncBaseTransport":
    """Make a transport that resolves each host once, checks the addresses, and connects to a checked one.

    This defeats DNS rebinding, where a name resolves to another address a moment later. `Host`, TLS server name and
    certificate check still use the name. Proxies of the environment are not used, because they would resolve again.
    """
    import httpx  # not at the top: it takes 7 MB, only for workers with this tool

    class Checked(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            """Send the request to the first address that accepts a connection.

            Raises:
                ToolRefused: the host does not exist, or none of its addresses is allowed.
                httpx.TransportError: no connection could be made, or it broke.
            """
            *others, last = _permitted(request.url.host, await _resolve(request.url), allowed)
            for address in others:
                try:
                    return await super().handle_async_request(_addressed(request, address))
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    continue  # such as IPv6 on a machine without it
            return await super().handle_async_request(_addressed(request, last))

    # No keep-alive: the pool is keyed by address and would reuse one host's TLS connection for another host.
    return Checked(verify=_tls(), limits=httpx.Limits(max_keepalive_connections=0))


def _permitted(host: str, addresses: list[Address], allowed: tuple[Network, ...]) -> list[Address]:
    permitted = [address for address in addresses if is_public(address) or _is_allowed(address, allowed)]
    if not permitted:
        raise ToolRefused(
            f"`{host}` is at {addresses[0]}, which is not on the public internet; allow its network with "
            "`allow_networks` if this tool may connect to it"
        )
    return permitted


def _is_allowed(address: Address, allowed: tuple[Network, ...]) -> bool:
    inner = (_inner(address) if isinstance(address, IPv6Address) else None) or address
    return any(inner in network for network in allowed)


def _addressed(request: "httpx.Request", address: Address) -> "httpx.Request":
    """Return the request with an address instead of the name; it already has the `Host` header."""
    import httpx

    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
    )


async def _resolve(url: "httpx.URL") -> list[Address]:
    host, loop = url.raw_host.decode("ascii"), asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, url.port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise ToolRefused(f"`{host[:80]}` is not a host name") from None
    except socket.gaierror as error:
        if error.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}:
            raise ToolRefused(f"there is no host `{host}`; check the address") from None
        raise ConnectionError(f"the name `{host}` could not be resolved: {error.strerror}") from error
    return [ip_address(entry[4][0]) for entry in found]


@cache
def _tls() -> ssl.SSLContext:
    """Make the TLS context, once per process: reading the certificates takes longer than many requests."""
    import httpx

    return httpx.create_ssl_context()
