"""What went wrong at a vendor, as one of our errors: the one table that decides what is retried.

    a code or type that vendors document  e.g. `context_length_exceeded`, `insufficient_quota`
    a sentence in the message             compatible servers send no codes, or codes of their own
    the HTTP status                       408, 409, 425, 429, 5xx are retried; other 4xx are not
    neither status nor code               timeouts, dropped connections, truncated bodies: retried

These say what is wrong. Whether to try again is in the vendor's `x-should-retry` where it sends one, and it wins.

Errors are read by duck typing, because the SDK's carry objects of whichever HTTP library its version uses; litellm's
are not read at all where there is one of an HTTP library below. Keys are taken out of every text before it becomes a
message, since messages end up in histories and logs.
"""

import math
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from json import JSONDecodeError
from types import MappingProxyType
from typing import Protocol, cast

from llmflow.errors import (
    AnswerUnreadable,
    AuthenticationFailed,
    ContentRefused,
    ContextTooLong,
    ErrorDetail,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestRejected,
)

LONGEST_WAIT = 600.0
"""Seconds: a vendor that asks for more is asked again after this."""
JITTER = 0.2
"""A wait is lengthened by up to this share, so that a hundred calls that were refused together do not come back
together. It is applied by `lengthened` and nowhere else."""
LONGEST_QUOTE = 300
"""Characters of a vendor's own words that a message repeats."""

_Kind = type[ProviderError]

_BY_CODE: Mapping[str, _Kind] = MappingProxyType(
    {
        "context_length_exceeded": ContextTooLong,
        "string_above_max_length": ContextTooLong,
        "exceed_context_size_error": ContextTooLong,
        "content_filter": ContentRefused,
        "content_policy_violation": ContentRefused,
        "image_content_policy_violation": ContentRefused,
        "bio_policy": ContentRefused,
        "cyber_policy_violation": ContentRefused,
        "misalignment_policy_violation": ContentRefused,
        "moderation_blocked": ContentRefused,
        "refusal": ContentRefused,
        "insufficient_quota": QuotaExhausted,
        "billing_hard_limit_reached": QuotaExhausted,
        "billing_not_active": QuotaExhausted,
        "model_not_found": ModelNotFound,
        "DeploymentNotFound": ModelNotFound,
        "invalid_api_key": AuthenticationFailed,
        "account_deactivated": AuthenticationFailed,
    }
)

_BY_SENTENCE: tuple[tuple[re.Pattern[str], _Kind], ...] = (
    (
        re.compile(
            r"context (length|window|size)|prompt is too long|input is too long"
            r"|request too large"  # larger than a whole minute's limit: it comes as 429, and waiting never helps
            r"|exceeds? (the )?(model'?s )?max\w* (input )?(length|tokens)",
            re.I,
        ),
        ContextTooLong,
    ),
    (
        re.compile(r"content (management )?policy|usage polic|flagged|safety system|content filter", re.I),
        ContentRefused,
    ),
    (re.compile(r"credit balance|insufficient (credit|balance|funds)", re.I), QuotaExhausted),
    (
        re.compile(
            r"not a valid model|llm provider not provided|\bmodel\b.{0,120}\b(not found|(does )?not exist)", re.I
        ),
        ModelNotFound,
    ),
)
"""For servers that send no codes, or codes of their own. At 429 only the first holds: rate limits are worded freely."""

_BY_STATUS: Mapping[int, _Kind] = MappingProxyType(
    {
        401: AuthenticationFailed,
        402: QuotaExhausted,
        403: AuthenticationFailed,
        404: ModelNotFound,
        408: ProviderUnavailable,
        409: ProviderUnavailable,
        425: ProviderUnavailable,
        429: RateLimited,
    }
)

_BY_CODE_INSIDE_AN_ANSWER: Mapping[str, _Kind] = MappingProxyType(
    {
        **_BY_CODE,
        "rate_limit_exceeded": RateLimited,
        "server_error": ProviderUnavailable,
        "vector_store_timeout": ProviderUnavailable,
        "rate_limit_error": RateLimited,
        "server_overloaded": ProviderUnavailable,
        "overloaded_error": ProviderUnavailable,
        "api_error": ProviderUnavailable,
        "timeout_error": ProviderUnavailable,
        "authentication_error": AuthenticationFailed,
        "permission_error": AuthenticationFailed,
        "billing_error": QuotaExhausted,
    }
)
"""Codes inside an answer that came with 200: there the status says nothing. Gateways pass Anthropic's on."""

FILTERED = "the vendor's filter stopped the answer"

UNFINISHED = "unfinished"
"""Our own code, for an answer that the vendor means to give later."""

_BLAMES_THE_REQUEST = re.compile(rf"^invalid_|image|^{UNFINISHED}$")
"""Of other codes inside an answer, those that another candidate would answer with too. The rest may be anything."""

_ADVICE: Mapping[_Kind, str] = MappingProxyType(
    {
        RateLimited: "Fewer calls at once, a higher limit, or another candidate in models.yaml help.",
        ProviderUnavailable: "The request is not at fault: the same call may succeed later.",
        AuthenticationFailed: "Check the key that models.yaml names for this provider, and what that key may do.",
        QuotaExhausted: "Waiting does not help: add credit there, or another candidate to models.yaml.",
        ModelNotFound: "Check the model's id in models.yaml, and that base_url ends where the API begins (often /v1).",
        ContextTooLong: "Shorten the input, or add a candidate with a longer context to models.yaml.",
        AnswerUnreadable: "It is billed, so it is not asked for again: add another candidate to models.yaml.",
        ContentRefused: "Change the content, or add a candidate of another vendor to models.yaml.",
        RequestRejected: "Change the request: sending it again does not help.",
    }
)

_ADVICE_AGAINST: Mapping[bool, str] = MappingProxyType(
    {
        True: "The vendor says that the same call may succeed later.",
        False: "The vendor says that trying again does not help: add another candidate to models.yaml.",
    }
)
"""Instead of a kind's own, where the vendor says otherwise."""


@dataclass(frozen=True)
class Complaint:
    """What a vendor said, whatever the form in which it said it."""

    message: str
    status: int | None = None
    """Of HTTP; `None` for an error inside an answer that came with 200."""
    code: str | None = None
    type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Their names in lower case, or of a mapping that does not care."""

    @classmethod
    def read(cls, body: object, status: int | None = None, headers: Mapping[str, str] | None = None) -> "Complaint":
        """Find the words in a body: vendors put them in several places, gateways return pages of HTML."""
        headers = headers or {}
        if not isinstance(body, dict):
            return cls(str(body or ""), status, headers=headers)
        said = cast(dict[str, object], body)
        nested = said.get("error")
        if isinstance(nested, dict):
            return cls.read(cast(object, nested), status, headers)
        code = said.get("code")
        if status is None and isinstance(code, int) and 400 <= code < 600:  # a gateway that answers 200 to everything
            status = code
        message = said.get("message") or nested or said.get("detail") or ""
        return cls(str(message), status, _word(code), _word(said.get("type")), headers)


def _word(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and value != "" else None


def classify(error: Exception, model: str, key: str | None = None) -> ProviderError:
    """An exception of a vendor's SDK as one of ours.

    Raise the result outside of the `except` block: the SDK's exception holds the request, the request holds the key,
    and it must not travel along as `__context__`.

    Args:
        error: read by duck typing: `status_code`, `body` and `response.headers` where it has them.
        model: `provider:model`.
        key: taken out of every text, besides everything that looks like a key.
    """
    status = cast(int | None, getattr(error, "status_code", None))
    body = cast(object, getattr(error, "body", None))
    if status is None and body is None:
        cause = error if is_http(error) else error.__cause__  # while it reads a stream, the SDK wraps nothing
        return unavailable(model, _named(cause) if cause else str(error), key)
    headers = cast(Mapping[str, str], getattr(getattr(error, "response", None), "headers", {}))
    return judge(Complaint.read(body, status, headers), model, key)


class _HttpResponse(Protocol):
    """Of httpx or httpx2."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def text(self) -> str: ...
    def json(self) -> object: ...


def classify_wrapped(error: Exception, model: str, key: str | None = None) -> ProviderError:
    """An exception of litellm as one of ours; see `classify`.

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
    """An exception of an HTTP library as one of ours, see `classify`; `None` for another exception."""
    if not is_http(error):
        return None
    response = cast(_HttpResponse | None, getattr(error, "response", None))
    if response is None:
        return unavailable(model, _named(error), key)
    return judge(Complaint.read(_body(response), response.status_code, response.headers), model, key)


def below(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what it was raised from, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def is_http(error: BaseException) -> bool:
    """Whether an HTTP library raised it: a connection that broke, say."""
    return any(base.__module__.partition(".")[0] in {"httpx", "httpx2", "aiohttp"} for base in type(error).__mro__)


def _body(response: _HttpResponse) -> object:
    try:
        return response.json()
    except ValueError:
        return response.text


def judge(complaint: Complaint, model: str, key: str | None = None) -> ProviderError:
    """The error that a complaint amounts to; see the table on top of this module."""
    return _error(_kind(complaint), complaint, model, key)


def unavailable(model: str, reason: str, key: str | None = None) -> ProviderError:
    """The error for an answer that never came whole: a timeout, a dropped connection, a truncated body."""
    return _error(ProviderUnavailable, Complaint(reason), model, key)


def unreadable(model: str, reason: str, key: str | None = None) -> ProviderError:
    """The error for an answer that came whole, in another shape than its API's."""
    return _error(AnswerUnreadable, Complaint(reason), model, key)


def scrub(text: str, key: str | None) -> str:
    """The text without the key, and without everything else that looks like a secret."""
    if key:
        text = text.replace(key, "[secret]")
    return _SECRETS.sub("[secret]", text)


_SECRETS = re.compile(
    r"\b(?:(?:sk|rk|xai|nvapi)-|(?:sk|gsk|hf|r8)_)[\w*.-]{6,}"  # also when the vendor has masked the middle
    r"|\bAIza[\w*-]{10,}"
    r"|(?i:\bbearer\s+[\w.~+/=*-]{16,})"
    r"|(?i:(?<=\bauthorization)[\"']?\s*[:=]\s*[\"']?(?:bearer\s+|basic\s+)?[^\s\"',;)}\]]+)"
)


def _kind(complaint: Complaint) -> _Kind:
    status = complaint.status
    words = [word for word in (complaint.code, complaint.type) if word]
    table = _BY_CODE if status else _BY_CODE_INSIDE_AN_ANSWER
    if known := next((table[word] for word in words if word in table), None):
        return known
    if status is not None and status >= 500:
        return ProviderUnavailable
    for sentence, kind in _BY_SENTENCE[: 1 if status == HTTPStatus.TOO_MANY_REQUESTS else None]:
        if sentence.search(complaint.message):
            return kind
    if status is None:
        blamed = any(_BLAMES_THE_REQUEST.search(word) for word in words)
        return RequestRejected if blamed else ProviderUnavailable
    return _BY_STATUS.get(status, RequestRejected)


def _error(kind: _Kind, complaint: Complaint, model: str, key: str | None) -> ProviderError:
    said = " ".join(scrub(complaint.message, key).split()).rstrip(".") or "it gave no reason"
    quote = said if len(said) <= LONGEST_QUOTE else said[:LONGEST_QUOTE] + " ..."
    code = scrub(complaint.code or complaint.type or "", key)
    headers = complaint.headers
    request = scrub(headers.get("x-request-id") or headers.get("request-id", ""), key)
    retry = {"true": True, "false": False}.get(complaint.headers.get("x-should-retry", ""))
    again = kind.retryable if retry is None else retry
    wait = _wait(complaint.headers) if again else None
    message = "".join(
        (
            f"{model} answered {complaint.status}" if complaint.status else f"{model} failed",
            f" ({code})" if code else "",
            f": {quote}",
            f" [request {request}]" if request else "",
            f". It asks to wait {wait:g} s. " if wait is not None else ". ",
            _ADVICE[kind] if again is kind.retryable else _ADVICE_AGAINST[again],
        )
    )
    detail = ErrorDetail(model=model, status=complaint.status, code=code or None, retry_after=wait, retry=retry)
    return kind(message, detail)


def lengthened(seconds: float) -> float:
    """A wait, with jitter."""
    return round(seconds * random.uniform(1, 1 + JITTER), 3)


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that the vendor asks for, with jitter, capped."""
    after = headers.get("retry-after", "")
    for asked in (_seconds(headers.get("retry-after-ms", ""), per_second=1000), _seconds(after), _until(after)):
        if asked is not None:
            return min(lengthened(asked), LONGEST_WAIT)
    return None


def _seconds(value: str, per_second: int = 1) -> float | None:
    try:
        seconds = float(value) / per_second
    except ValueError:
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _until(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
