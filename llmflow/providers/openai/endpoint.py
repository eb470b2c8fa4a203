"""An OpenAI-compatible server, and the request to it."""

import asyncio
import json
import re
import ssl
import zlib
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json

from llmflow import __version__
from llmflow.errors import ProviderError
from llmflow.providers.connections import open_connector, trusted
from llmflow.providers.dialects.complaints import Complaint, complaint_in, error_in
from llmflow.providers.dialects.exceptions import is_http, is_unsent, named
from llmflow.providers.dialects.failures import judge, lost, unavailable, unmade, unreadable
from llmflow.providers.dialects.usage.failed import with_bill
from llmflow.providers.keys import with_key
from llmflow.providers.openai.bodies import MAX_STREAM, beginning, pieces, whole
from llmflow.providers.openai.events import END, events
from llmflow.providers.openai.joined import Joined
from llmflow.providers.proxies import proxy_for
from llmflow.types.problems import message_of, problems_of, said
from llmflow.types.providers import ProviderSettings
from llmflow.types.refs import ModelRef

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

OPENAI = "https://api.openai.com/v1"

CONNECT_TIMEOUT = 10.0
"""Seconds to connect to the vendor's host. After that only the request's own timeout applies, because a reasoning model
may pause between two bytes for any time."""

READ_ON_TIMEOUT = 0.25
"""Seconds to read on after an answer. A new connection would take about as long."""
READ_ON_BYTES = 2**16

_Answer = TypeVar("_Answer", bound=BaseModel)


class Endpoint:
    """One server with its connections, made at the first call.

    It uses aiohttp instead of the openai SDK: to send and read bytes, the SDK takes 1.4 ms of CPU per request and
    27 MB, aiohttp 0.2 ms and 10 MB.
    """

    def __init__(self, settings: ProviderSettings) -> None:
        """Choose the environment's proxy.

        Raises:
            ConfigInvalid: see `proxy_for`.
        """
        self.name = settings.name
        self.base_url = settings.base_url or OPENAI
        self._settings = settings
        self._proxy = proxy_for(self.base_url)
        self._session: ClientSession | None = None
        self._making = asyncio.Lock()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that no error may quote."""
        return self._settings.secrets

    async def post(
        self,
        path: str,
        body: Mapping[str, object],
        answer: type[_Answer],
        timeout: float,
        joined: Joined,
    ) -> _Answer:
        """Send JSON once, without retries, and read JSON.

        Args:
            path: Path below `base_url`.
            body: Body of the request, with the vendor's `model`.
            answer: Model of the needed fields of the answer.
            timeout: Seconds for the whole answer.
            joined: Joins the pieces of a streamed answer. A server may stream unasked, or not stream though asked.

        Raises:
            ProviderError: see `dialects/failures.py`.
        """
        model = str(ModelRef(self.name, str(body["model"])))
        session = await self._connect(model)
        failure: ProviderError
        data = b""

        async def ask(key: str | None) -> bytes:
            return await self._ask(session, f"{self.base_url.rstrip('/')}{path}", key, body, joined, deadline)

        try:
            async with asyncio.timeout(timeout) as deadline:
                data = await with_key(self._settings, ask)
            return decode(answer, data)
        except ValidationError as error:
            failure = misread(error, data, model, f"the answer does not have the format of {path}", self.secrets)
            failure = self.billed(failure, data)
        except OverflowError as error:
            failure = unreadable(model, f"the answer cannot be read: {error}", self.secrets)
        except zlib.error as error:
            failure = lost(model, f"the answer is not compressed as it claims: {error}", self.secrets)
        except EOFError:
            failure = lost(model, "the stream ended before the answer did")
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            failure = lost(model, f"an event of the stream is not JSON: {error}", self.secrets)
        except Exception as error:  # of the HTTP library, whose connect timeout is a TimeoutError as well
            if is_http(error):
                failure = (unavailable if is_unsent(error) else lost)(model, _named(error), self.secrets)
            elif isinstance(error, TimeoutError):
                failure = lost(model, f"no whole answer within {timeout:g} s")
            else:
                raise
        raise failure  # outside of `except`, because the exception holds the request, and so the key

    async def _ask(
        self,
        session: "ClientSession",
        url: str,
        key: str | None,
        body: Mapping[str, object],
        joined: Joined,
        deadline: asyncio.Timeout,
    ) -> bytes:
        async with session.post(
            url,
            params=self._settings.query,
            data=to_json(body),
            headers=self._headers(key),
            proxy_headers=self._proxy.headers,
            # A redirect would take the key to another host, or make a GET of the request.
            allow_redirects=False,
        ) as response:
            data = await self._read(response, joined, str(ModelRef(self.name, str(body["model"]))))
            deadline.reschedule(None)  # the answer is there
            await _read_on(response)
        return data

    def _headers(self, key: str | None) -> dict[str, str]:
        """Return the headers of a request. They are not of the session: aiohttp would send them to a proxy as well."""
        authorization = {"Authorization": f"Bearer {key}"} if key else {}
        is_read_by_proxy = urlsplit(self.base_url).scheme == "http"  # then there is no CONNECT
        return {**authorization, **(self._proxy.headers if is_read_by_proxy else {}), **self._settings.headers}

    def billed(self, error: ProviderError, *bodies: object) -> ProviderError:
        """Return an error with the usage and the bill of what the vendor sent; see `with_bill`."""
        asked = ModelRef.parse(error.detail.model or "").model
        return with_bill(error, *bodies, model=asked, base_url=self.base_url)

    async def close(self) -> None:
        """Close the connections, if there are any."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _connect(self, model: str) -> "ClientSession":
        if self._session is None:
            async with self._making:
                try:
                    self._session = self._session or await self._opened()
                except Exception as error:  # of certificates, of imports: what cannot be made is this provider's fault
                    raise unmade(model, named(error), self.secrets) from error
        return self._session

    async def _opened(self) -> "ClientSession":
        # In a thread: importing the library and reading certificates would block every other call.
        tls = await asyncio.to_thread(_tls, self._settings.ca_file)
        from aiohttp import ClientSession, ClientTimeout, DummyCookieJar

        return ClientSession(
            connector=open_connector(self._proxy, tls),
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,  # `pieces` does, with a limit
            # aiohttp's own `trust_env` takes two threads per request, and would send a password of `.netrc`.
            proxy=self._proxy.url,
            timeout=ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "Content-Type": "application/json",
                "User-Agent": f"llmflow/{__version__}",
            },
        )

    async def _read(self, response: "ClientResponse", joined: Joined, model: str) -> bytes:
        """Read the answer, and return it in one piece.

        Raises:
            EOFError: its stream ended early.
            JSONDecodeError, UnicodeDecodeError: an event is not JSON.
            ProviderError: the vendor refuses, or fails while it answers.
            OverflowError, zlib.error: see `pieces`.
        """
        if not 200 <= response.status < 300:
            body = await _complaint_of(response)
            raise self.billed(judge(Complaint.read(body, response.status, response.headers), model, self.secrets), body)
        if "text/event-stream" in response.headers.get("content-type", ""):
            return await self._streamed(pieces(response, MAX_STREAM), joined, response.headers, model)
        data = await whole(response)
        if data.lstrip().startswith((b"data:", b"event:")):  # a stream, whatever its head says
            return await self._streamed(_one(data + b"\n\n"), joined, response.headers, model)
        return data

    async def _streamed(
        self, chunks: AsyncIterable[bytes], joined: Joined, headers: Mapping[str, str], model: str
    ) -> bytes:
        try:
            async for event in events(chunks):
                if event is END:
                    joined.end()
                elif complaint := error_in(event):
                    failure = judge(Complaint.read(complaint, headers=headers), model, self.secrets)
                    raise self.billed(failure, joined.so_far, event)
                else:
                    joined.take(event)
        except Exception as error:  # of the HTTP library
            if joined.whole is None or not is_http(error):
                raise  # otherwise the connection broke after the complete, billed answer
        if joined.whole is None:
            raise EOFError
        return json.dumps(joined.whole).encode()


def _tls(ca_file: str | None) -> ssl.SSLContext:
    import_module("aiohttp")
    return trusted(ca_file)


async def _read_on(response: "ClientResponse") -> None:
    """Read what follows an answer: a connection is used again only if it was read to the end, as after `[DONE]`."""
    size = 0
    try:
        async with asyncio.timeout(READ_ON_TIMEOUT):
            async for chunk in response.content.iter_any():
                size += len(chunk)
                if size > READ_ON_BYTES:
                    return
    except Exception as error:  # of the HTTP library, or of the time limit: the answer is there anyway
        if not is_http(error) and not isinstance(error, TimeoutError):
            raise


def _named(error: Exception) -> str:
    """Format an exception of the HTTP library without a URL, which may have a password."""
    from aiohttp import ClientResponseError, InvalidURL, NonHttpUrlClientError

    if isinstance(error, ClientResponseError):
        return f"{type(error).__name__}: {error.status} {error.message}"
    return type(error).__name__ if isinstance(error, InvalidURL | NonHttpUrlClientError) else named(error)


async def _one(data: bytes) -> AsyncGenerator[bytes]:
    yield data


async def _complaint_of(response: "ClientResponse") -> object:
    """Read the body of a failure: JSON, or else text."""
    if 300 <= response.status < 400:
        return f"it redirects to {response.headers.get('location', 'nowhere')}, and redirects are not followed"
    data = await beginning(response)
    try:
        return from_json(data)
    except ValueError:
        return data.decode(errors="replace")


_HALVES = re.compile("[\ud800-\udfff]")


def decode(answer: type[_Answer], data: bytes) -> _Answer:
    """Decode an answer. Half a surrogate pair, left by a vendor that cut its text, becomes U+FFFD.

    Raises:
        ValidationError: the data is not JSON, or has another format.
    """
    try:
        return answer.model_validate_json(data)
    except ValidationError as error:
        if not _is_no_json(error):
            raise
        try:
            text = json.dumps(json.loads(data), ensure_ascii=False)  # accepts halves and joins pairs
        except (ValueError, RecursionError):
            raise error from None
    return answer.model_validate_json(_HALVES.sub("\ufffd", text))


def misread(error: ValidationError, data: bytes, model: str, what: str, secrets: tuple[str, ...]) -> ProviderError:
    """Make the error of data that is no answer: the vendor's own, if it says one.

    A truncated answer may be retried. A complete one is billed, and a retry would be billed again.
    """
    if complaint := complaint_in(data):
        return judge(complaint, model, secrets)
    kind = lost if _is_no_json(error) else unreadable
    return kind(model, f"{what}: {_first_fault(error)}", secrets)


def _is_no_json(error: ValidationError) -> bool:
    return problems_of(error)[0]["type"] == "json_invalid"


def _first_fault(error: ValidationError) -> str:
    """Describe the first validation problem, without the answer's content."""
    first = problems_of(error)[0]
    return said(first) if first["loc"] else message_of(first)
