"""Converts exceptions of HTTP libraries and of vendors' SDKs to llmflow's errors.

It reads them by duck typing, because vendors' SDKs use several HTTP libraries. Of litellm's it reads the underlying
HTTP exception, if there is one.
"""

import zlib
from collections.abc import Iterator, Mapping
from json import JSONDecodeError
from typing import Protocol, cast

from llmflow.errors import ProviderError
from llmflow.providers.dialects.complaints import Complaint
from llmflow.providers.dialects.failures import judge, lost, unavailable, unmade, unreadable

_LIBRARIES = frozenset({"httpx", "httpx2", "aiohttp", "aiohttp_socks"})
_UNSENT = frozenset(
    (
        *("ClientConnectorError", "ConnectionTimeoutError", "ClientHttpProxyError", "InvalidURL"),  # aiohttp
        *("ProxyConnectionError", "ProxyTimeoutError"),  # aiohttp_socks
        *("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"),  # httpx
    )
)


class _HttpResponse(Protocol):
    """A response of httpx or httpx2, which litellm and the SDKs below it use."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def text(self) -> str: ...
    def json(self) -> object: ...


def classify_wrapped(error: Exception, model: str, secrets: tuple[str, ...] = ()) -> ProviderError:
    """Convert an exception of litellm.

    Raise the result outside of the `except` block: the exception holds the request, and the request the key, so it must
    not become the `__context__`.

    litellm wraps an exception three times and loses information each time: bodies, headers, `Retry-After`. Anthropic's
    529, a refused connection and an HTML page all become a 500. So the innermost exception decides.
    """
    for cause in below(error):
        if known := classify_http(cause, model, secrets):
            return known
        if isinstance(cause, ImportError):
            return unmade(model, named(cause), secrets)
        if isinstance(cause, OverflowError):
            return unreadable(model, f"the answer cannot be read: {cause}", secrets)
        if isinstance(cause, zlib.error):
            return lost(model, f"the answer is not compressed as it claims: {cause}", secrets)
        if isinstance(cause, JSONDecodeError):
            return lost(model, f"Invalid JSON: {cause}", secrets)
    status = cast(int | None, getattr(error, "status_code", None))
    if status in {400, 401, 403, 404}:  # litellm's own refusal, before it asks
        return judge(Complaint(str(error), status), model, secrets)
    return unreadable(model, str(error), secrets)


def classify_http(error: BaseException, model: str, secrets: tuple[str, ...] = ()) -> ProviderError | None:
    """Convert an exception of an HTTP library, see `classify_wrapped`; `None` for other exceptions."""
    if not is_http(error):
        return None
    response = cast(_HttpResponse | None, getattr(error, "response", None))
    if response is None:
        return (unavailable if is_unsent(error) else lost)(model, named(error), secrets)
    return judge(Complaint.read(_body(response), response.status_code, response.headers), model, secrets)


def body_of(error: BaseException) -> object:
    """Return the body of the vendor's response below an exception; `None` without one."""
    responses = (getattr(cause, "response", None) for cause in below(error) if is_http(cause))
    return next((_body(cast(_HttpResponse, response)) for response in responses if response is not None), None)


def below(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and its chain of causes."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def named(error: BaseException) -> str:
    """Format class and message of an error."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def is_http(error: BaseException) -> bool:
    """Return True for an exception of an HTTP library, such as a broken connection."""
    return any(base.__module__.partition(".")[0] in _LIBRARIES for base in type(error).__mro__)


def is_unsent(error: BaseException) -> bool:
    """Return True for an exception of an HTTP library without a connection, so that nothing can be billed."""
    return any(base.__name__ in _UNSENT for base in type(error).__mro__)


def _body(response: _HttpResponse) -> object:
    try:
        return response.json()
    except ValueError:
        return response.text
