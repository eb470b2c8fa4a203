"""Fetches web pages, with limits of size and time, and without access to private networks."""

import asyncio
import re
import zlib
from codecs import lookup
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from llmflow.errors import ErrorDetail, ToolRefused
from llmflow.tools.addresses import checked_transport, networks
from llmflow.tools.decorator import tool
from llmflow.tools.html import Readable, readable
from llmflow.types.base import CompactWire

if TYPE_CHECKING:
    import httpx

MAX_REDIRECTS = 5
CONNECT_SECONDS = 5.0
"""Seconds per address; then the host's next address is tried."""

_HEADERS = {
    "user-agent": "llmflow",
    "accept": "text/html, text/*, application/json, application/xml;q=0.9",
    "accept-encoding": "gzip",
}
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_TEXT = re.compile(r"text/.+|(application|image)/(.+\+)?(json|xml)")
_PASSING = frozenset({408, 425, 429})
"""Statuses below 500 that a retry may change."""
_DECLARED = re.compile(rb"(?:charset|encoding)=[\"']?([\w-]{1,40})", re.IGNORECASE)
_UNFIT = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})
"""Python codecs that pages never use: they are slow, or produce invalid Unicode."""


class FetchedPage(CompactWire):
    """A fetched page."""

    url: str
    """Final URL, after redirects."""
    status: int
    media_type: str
    """Media type, such as `text/html`."""
    title: str | None = None
    text: str
    """Text of the page; HTML is reduced to its readable text."""
    truncated: bool = False
    """True if the page or its text was cut off."""


async def fetch_page(
    url: str,
    *,
    allow_networks: Iterable[str] = (),
    max_bytes: int = 5_000_000,
    max_characters: int = 100_000,
    timeout: timedelta = timedelta(seconds=30),
) -> FetchedPage:
    """Fetch a web page. `fetch_url` is this function as a tool; for other limits, make your own tool.

        @tool
        async def read_wiki(url: str) -> FetchedPage:
            '''Read a page of our wiki.'''
            return await fetch_page(url, allow_networks=["10.1.0.0/16"])

    Args:
        url: URL of `http` or `https`, without a user name.
        allow_networks: Networks that are allowed although they are not public.
        max_bytes: Upper limit of the decompressed body; the rest is not read.
        max_characters: Upper limit of the returned text.
        timeout: Time limit, redirects included.

    Raises:
        ToolRefused: the URL is malformed, in a network that is not allowed, not found (4xx), in a redirect loop, or
            not text. `detail.status` has the HTTP status if there was one.
        ConnectionError: the host could not be reached, or answered 5xx or 429; a retry may help.
        TimeoutError: it took longer than `timeout`; a retry may help.
        ConfigInvalid: `allow_networks` contains something other than networks.
    """
    import httpx  # not at the top: 7 MB, which workers without this tool do without

    transport = checked_transport(networks(allow_networks))
    limits = httpx.Timeout(None, connect=CONNECT_SECONDS)
    try:
        async with (
            asyncio.timeout(timeout.total_seconds()),
            httpx.AsyncClient(transport=transport, headers=_HEADERS, timeout=limits, trust_env=False) as client,
            _answer(client, url) as response,
        ):
            media_type = _media_type(response)
            body, more = await _read(response, max_bytes)
    except TimeoutError:
        raise TimeoutError(f"{url} did not answer within {timeout.total_seconds():g} s") from None
    except httpx.TransportError as error:
        raise ConnectionError(f"{url} could not be read: {error or type(error).__name__}") from error
    # In a thread: megabytes of HTML would block everything else on this worker.
    text, title = await asyncio.to_thread(_text, body, media_type, response.charset_encoding)
    return FetchedPage(
        url=str(response.url),
        status=response.status_code,
        media_type=media_type,
        title=title,
        text=text[:max_characters],
        truncated=more or len(text) > max_characters,
    )


@tool
async def fetch_url(
    url: Annotated[str, Field(description="An address that begins with http:// or https://.")],
) -> FetchedPage:
    """Fetch a page of the web and return its text. Private networks cannot be reached."""
    return await fetch_page(url)


def _checked(url: "str | httpx.URL") -> "httpx.URL":
    import httpx

    try:
        url = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ToolRefused(f"`{str(url)[:200]}` is not an address: {error}", ErrorDetail(field="url")) from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ToolRefused(
            f"`{str(url)[:200]}` is not an address like https://example.com/page", ErrorDetail(field="url")
        )
    if url.userinfo:
        raise ToolRefused(
            f"the address at `{url.host}` has a user name or password; give it without", ErrorDetail(field="url")
        )
    return url


@asynccontextmanager
async def _answer(client: "httpx.AsyncClient", url: str) -> "AsyncGenerator[httpx.Response]":
    """Follow redirects, check each hop, and yield the final response with its body unread."""
    # Manually, because httpx reads the whole body of each redirect.
    request = client.build_request("GET", _checked(url))
    for _ in range(MAX_REDIRECTS + 1):
        response = await client.send(request, stream=True)
        try:
            if response.next_request is None:
                _check_status(response)
                yield response
                return
            request = response.next_request
            _checked(request.url)
        finally:
            await response.aclose()
    raise ToolRefused(f"{url} redirected more than {MAX_REDIRECTS} times, at last to {request.url}")


def _check_status(response: "httpx.Response") -> None:
    if response.is_success:
        return
    status = response.status_code
    answer = f"{response.url} answered {status} {response.reason_phrase}".rstrip()
    if status >= 500 or status in _PASSING:
        raise ConnectionError(answer)
    raise ToolRefused(answer, ErrorDetail(status=status))


def _media_type(response: "httpx.Response") -> str:
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not _TEXT.fullmatch(media_type):
        given = f"is `{media_type[:100]}`" if media_type else "has no Content-Type"
        raise ToolRefused(f"{response.url} {given}; only text, HTML, JSON and XML can be read")
    return media_type


async def _read(response: "httpx.Response", max_bytes: int) -> tuple[bytes, bool]:
    """Return up to `max_bytes` of the decompressed body, and True if there is more."""
    # Manually, because httpx decompresses each chunk without limit, to a thousand times its size and more.
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding not in {"identity", "gzip", "x-gzip"}:
        raise ToolRefused(f"{response.url} is compressed as `{encoding[:100]}`, which was not accepted")
    unpacker = None if encoding == "identity" else zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    body = bytearray()
    try:
        async for chunk in response.aiter_raw():
            body += unpacker.decompress(chunk, max_bytes + 1 - len(body)) if unpacker else chunk
            if len(body) > max_bytes:
                return bytes(body[:max_bytes]), True
            if unpacker and unpacker.eof:
                break  # what follows the compressed stream is not the page, and may have no end
    except zlib.error as error:
        raise ToolRefused(f"{response.url} claims to be gzip, but is not: {error}") from None
    return bytes(body), False


def _text(body: bytes, media_type: str, charset: str | None) -> Readable:
    declared = _DECLARED.search(body, 0, 2000)
    names = (charset, declared[1].decode() if declared else None, "utf-8-sig")
    text = body.decode(next(name for name in names if name and _is_known(name)), errors="replace")
    return readable(text) if media_type in _HTML else Readable(text, None)


def _is_known(charset: str) -> bool:
    try:
        codec = lookup(charset)
    except (LookupError, ValueError):
        return False
    return codec.name not in _UNFIT and getattr(codec, "_is_text_encoding", True)
