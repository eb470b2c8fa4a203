"""Where a vendor's API is, and the one request that we make there, through the openai SDK."""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from llmflow.errors import ProviderError
from llmflow.providers.dialects.exceptions import classify, is_http
from llmflow.providers.dialects.failures import unavailable, unreadable
from llmflow.providers.openai.joined import Joined
from llmflow.types.problems import message_of, problems_of, said
from llmflow.types.providers import ProviderSettings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

OPENAI = "https://api.openai.com/v1"

CONNECT_TIMEOUT = 10.0
"""Seconds to reach the vendor's host. What comes after is bounded by the request's own timeout alone, because the time
between two bytes says nothing about a model that thinks."""

_Answer = TypeVar("_Answer", bound=BaseModel)


class Endpoint:
    """One server, and the SDK's client of it, made at the first call: importing the SDK takes 0.4 s and 40 MB."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.name = settings.name
        self.base_url = settings.base_url or OPENAI
        self.key = settings.key
        self._client: AsyncOpenAI | None = None
        self._making = asyncio.Lock()

    async def post(
        self,
        path: str,
        body: Mapping[str, object],
        answer: type[_Answer],
        timeout: float,
        joined: Joined | None = None,
    ) -> _Answer:
        """Send JSON once, read JSON.

        The SDK gets bytes and returns bytes: its own transform of a long conversation takes 30 ms and more of the
        event loop, and its models decode much that nobody reads.

        Args:
            path: below `base_url`.
            body: of the request; it has the vendor's `model`.
            answer: of what came back, the fields that are needed.
            timeout: seconds for all of it.
            joined: the answer comes piece by piece, and is put together here.

        Raises:
            ProviderError: see `dialects/failures.py`.
        """
        model = f"{self.name}:{body['model']}"
        client = await self._connect()
        failure: ProviderError
        try:
            async with asyncio.timeout(timeout):
                if joined:
                    data = await _streamed(client, path, to_json(body), joined)
                else:
                    data = await client.post(path, content=to_json(body), cast_to=bytes)
            return decode(answer, data)
        except TimeoutError:
            failure = unavailable(model, f"no whole answer within {timeout:g} s")
        except ValidationError as error:
            # Cut off by somebody on the way, or whole: then it is billed, and would be billed again.
            kind = unavailable if _is_no_json(error) else unreadable
            failure = kind(model, f"the answer is not what {path} answers: {first_fault(error)}", self.key)
        except EOFError:
            failure = unavailable(model, "the stream ended before the answer did")
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            failure = unavailable(model, f"an event of the stream is no JSON: {error}", self.key)
        except _api_error() as error:
            failure = classify(error, model, self.key)
        except Exception as error:  # of the HTTP library below, which the SDK lets through while it reads a stream
            if not is_http(error):
                raise
            failure = classify(error, model, self.key)
        raise failure  # out here, so that it does not carry the SDK's exception, which holds the key

    async def close(self) -> None:
        """Close the connections, if there are any."""
        if self._client is not None:
            await self._client.close()

    async def _connect(self) -> "AsyncOpenAI":
        if self._client is None:
            async with self._making:
                # In a thread: importing the SDK and reading certificates would hold up every other call.
                self._client = self._client or await asyncio.to_thread(_make, self)
        return self._client


def is_at(base_url: str, *domains: str) -> bool:
    """Whether it is in one of these domains, such as `openai.com`."""
    host = f".{urlsplit(base_url).hostname}"
    return any(host.endswith(f".{domain}") for domain in domains)


def _make(endpoint: Endpoint) -> "AsyncOpenAI":
    import openai

    client = openai.AsyncOpenAI(
        # Never `None`: the SDK would take OPENAI_API_KEY and send it to whoever is at `base_url`.
        api_key=endpoint.key or "none",
        base_url=endpoint.base_url,
        max_retries=0,
        timeout=openai.Timeout(None, connect=CONNECT_TIMEOUT),
    )
    if not is_at(endpoint.base_url, "openai.com"):
        client.organization = client.project = None  # read from the environment, and nobody else's business
    return client


async def _streamed(client: "AsyncOpenAI", path: str, content: bytes, joined: Joined) -> bytes:
    """The answer, as it would have come in one piece.

    Raises:
        EOFError: it broke off.
        JSONDecodeError, UnicodeDecodeError: an event is no JSON.
    """
    from openai import AsyncStream

    stream = await client.post(path, content=content, cast_to=object, stream=True, stream_cls=AsyncStream[object])
    async with stream:
        if "text/event-stream" not in stream.response.headers.get("content-type", ""):
            return await stream.response.aread()  # a server that knows no streams has answered as ever
        try:
            async for event in stream:
                joined.take(event)
        except Exception as error:  # of the HTTP library, or the SDK's around it
            if joined.whole is None or not any(is_http(one) for one in (error, error.__cause__) if one):
                raise  # else the connection broke after the answer had come: it is whole, and billed
    if (whole := joined.whole) is None:
        raise EOFError
    return json.dumps(whole).encode()


def _api_error() -> type[Exception]:
    from openai import APIError

    return APIError


_HALVES = re.compile("[\ud800-\udfff]")


def decode(answer: type[_Answer], data: bytes) -> _Answer:
    """The answer; half a surrogate pair in it, left where a vendor cut its text, becomes U+FFFD.

    Raises:
        ValidationError: the data are no JSON, or of another shape.
    """
    try:
        return answer.model_validate_json(data)
    except ValidationError as error:
        if not _is_no_json(error):
            raise
        try:
            text = json.dumps(json.loads(data), ensure_ascii=False)  # takes halves, and joins those that are pairs
        except (ValueError, RecursionError):
            raise error from None
    return answer.model_validate_json(_HALVES.sub("\ufffd", text))


def _is_no_json(error: ValidationError) -> bool:
    return problems_of(error)[0]["type"] == "json_invalid"


def first_fault(error: ValidationError) -> str:
    """Where an answer is not what its API promises, and how; nothing of the answer itself."""
    first = problems_of(error)[0]
    return said(first) if first["loc"] else message_of(first)
