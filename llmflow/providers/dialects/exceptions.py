"""Exceptions of HTTP libraries and of vendors' SDKs, as errors of ours.

They are read by duck typing, because vendors' SDKs use several HTTP libraries; litellm's own are not read at all where
there is one of an HTTP library below.
"""

from collections.abc import Iterator, Mapping
from json import JSONDecodeError
from typing import Protocol, cast

from llmflow.errors import ProviderError
from llmflow.providers.dialects.failures import Complaint, judge, unavailable, unreadable


class _HttpResponse(Protocol):
    """Of httpx or httpx2, which litellm and the SDKs below it use."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def text(self) -> str: ...
    def json(self) -> object: ...


def classify_wrapped(error: Exception, model: str, key: str | None = None) -> ProviderError:
    """An exception of litellm as one of ours.

    Raise the result outside of the `except` block: the exception holds the request, the request holds the key, and it
    must not travel along as `__context__`.

    litellm wraps what it caught three times, and loses something each time: bodies, headers, `Retry-After`. It makes a
    500 of Anthropic's 529, of a refused connection, of a page of HTML. So what decides is what it caught first.
    """
    for cause in below(error):
        if known := classify_http(cause, model, key):
            return known
        if isinstance(cause, JSONDecodeError):
            return unavailable(model, f"Invalid JSON: {cause}", key)
    status = cast(int | None, getattr(error, "status_code", None))
    if status in {400, 401, 403, 404}:  # its own: it would not even ask
        return judge(Complaint(str(error), status), model, key)
    return unreadable(model, str(error), key)


def classify_http(error: BaseException, model: str, key: str | None = None) -> ProviderError | None:
    """An exception of an HTTP library as one of ours, see `classify_wrapped`; `None` for another exception."""
    if not is_http(error):
        return None
    response = cast(_HttpResponse | None, getattr(error, "response", None))
    if response is None:
        return unavailable(model, named(error), key)
    return judge(Complaint.read(_body(response), response.status_code, response.headers), model, key)


def below(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what it was raised from, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def named(error: BaseException) -> str:
    """Its class and its words."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def is_http(error: BaseException) -> bool:
    """Whether an HTTP library raised it: a connection that broke, say."""
    return any(base.__module__.partition(".")[0] in {"httpx", "httpx2", "aiohttp"} for base in type(error).__mro__)


def _body(response: _HttpResponse) -> object:
    try:
        return response.json()
    except ValueError:
        return response.text
