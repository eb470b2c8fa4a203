"""Connections of providers: trusted certificates, TCP keepalive, the environment's proxy."""

import socket
import ssl
from typing import TYPE_CHECKING

from llmflow.providers.proxies import Proxy

if TYPE_CHECKING:
    from aiohttp import AddrInfoType, TCPConnector

_IDLE = 60
"""Seconds of silence until the system probes a connection, and between its probes. NAT gateways drop a silent
connection after 5 minutes or so, without a word, and a reasoning model may be silent for longer."""
_PROBES = 5


def trusted(ca_file: str | None) -> ssl.SSLContext:
    """Load the certificates of the machine, or of SSL_CERT_FILE, and those of a file. It blocks.

    Raises:
        OSError: the file cannot be read, or has no certificates.
    """
    tls = ssl.create_default_context()
    if ca_file:
        try:
            tls.load_verify_locations(ca_file)
        except OSError as error:  # without the path
            raise OSError(f"the certificates in {ca_file} cannot be used: {error.strerror or error}") from None
    return tls


def open_connector(proxy: Proxy, tls: ssl.SSLContext) -> "TCPConnector":
    """Make the pool of connections to the vendor or its SOCKS proxy. It needs a running event loop."""
    # Not at the top: it takes 10 MB, only for workers with these providers.
    from aiohttp import TCPConnector

    if proxy.socks is None:
        return TCPConnector(ssl=tls, limit=0, socket_factory=_kept_alive)  # the worker limits its calls
    from aiohttp_socks import ProxyConnector, ProxyType

    return ProxyConnector(
        host=proxy.socks.host,
        port=proxy.socks.port,
        proxy_type=ProxyType[proxy.socks.version],
        username=proxy.socks.user,
        password=proxy.socks.password,
        rdns=True,  # the proxy finds the host: its network may be the only one that knows the name
        ssl=tls,
        limit=0,
    )


def _kept_alive(address: "AddrInfoType") -> socket.socket:  # pyright: ignore[reportUnknownParameterType]  half typed
    family, kind, protocol = address[:3]
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # macOS calls the first one otherwise, and not every system has all of them.
    for name, value in (("KEEPIDLE", _IDLE), ("KEEPALIVE", _IDLE), ("KEEPINTVL", _IDLE), ("KEEPCNT", _PROBES)):
        if (option := getattr(socket, f"TCP_{name}", None)) is not None:
            made.setsockopt(socket.IPPROTO_TCP, option, value)
    return made
