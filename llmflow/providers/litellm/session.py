"""Connections under litellm: bodies up to a limit, our certificates, and no redirects, which would move the key."""

import ssl
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from llmflow.providers.connections import open_connector
from llmflow.providers.openai.bodies import MAX_ANSWER, pieces
from llmflow.providers.proxies import Proxy

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession, StreamReader


@dataclass(frozen=True)
class _Raw:
    """A response as it came."""

    headers: Mapping[str, str]
    content: "StreamReader"


class _Bounded:
    """The body of a response, decompressed, up to a limit; all else is the body's own."""

    def __init__(self, raw: _Raw) -> None:
        self._raw = raw

    async def iter_chunked(self, size: int) -> AsyncGenerator[bytes]:
        """Yield the pieces, of any size.

        Raises:
            OverflowError, zlib.error: see `pieces`.
        """
        async for piece in pieces(cast("ClientResponse", self._raw), MAX_ANSWER):
            yield piece

    def __getattr__(self, name: str) -> Any:  # Any: of the HTTP library
        return getattr(self._raw.content, name)


def open_session(tls: ssl.SSLContext) -> "ClientSession":
    """Open a session, to be handed to litellm as its shared one. It needs a running event loop."""
    # Not at the top: it takes 10 MB, only for workers with litellm.
    from aiohttp import ClientRequest, ClientResponse, ClientSession, DummyCookieJar

    class TrustingRequest(ClientRequest):
        def __init__(self, *args: Any, **fields: Any) -> None:  # Any: the HTTP library's, for itself
            super().__init__(*args, **{**fields, "ssl": tls})  # litellm gives each request certificates of its own

    class BoundedResponse(ClientResponse):
        async def start(self, connection: Any) -> ClientResponse:  # Any: as above
            await super().start(connection)
            raw = _Raw(self.headers, self.content)
            self.content = _Bounded(raw)  # pyright: ignore[reportAttributeAccessIssue]  as much of it as is used
            kept = self.headers.copy()
            kept.pop("content-encoding", None)  # else it would be decompressed again, without a limit
            if 300 <= self.status < 400:
                kept.pop("location", None)
            self._headers = type(self.headers)(kept)
            self._cache.pop("headers", None)
            return self

    return ClientSession(
        connector=open_connector(Proxy(), tls),  # litellm chooses the proxy for each host
        cookie_jar=DummyCookieJar(),
        request_class=TrustingRequest,
        response_class=BoundedResponse,
    )
