"""Classifies vendors' failures as llmflow's errors: the table that decides what is retried.

    a code or type that vendors document  e.g. `context_length_exceeded`, `insufficient_quota`
    a sentence in the message             compatible servers send no codes, or codes of their own
    the HTTP status                       408, 409, 425, 429, 5xx are retried; other 4xx are not
    neither status nor code               timeouts, dropped connections, truncated bodies: retried

A vendor's `x-should-retry` header overrides the table's decision to retry.

Keys are removed from every text before it becomes a message, because messages end up in histories and logs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import cast

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
from llmflow.providers.dialects.delays import requested_delay
from llmflow.providers.dialects.secrets import scrub

LONGEST_QUOTE = 300
"""Characters of the vendor's text that a message quotes."""

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
            r"|request too large"  # above a whole minute's limit: sent with 429, but waiting never helps
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
"""For servers without codes, or with their own. At 429 only the first applies: texts of rate limits vary."""

_BY_STATUS: Mapping[int, _Kind] = MappingProxyType(
    {
        **dict.fromkeys(range(300, 400), ModelNotFound),  # redirects are not followed: base_url is another one
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
"""Codes inside an answer with status 200, Anthropic's included, which gateways forward."""

FILTERED = "the vendor's filter stopped the answer"

UNFINISHED = "unfinished"
"""Our own code for an answer that the vendor will give later."""

_BLAMES_THE_REQUEST = re.compile(rf"^invalid_|image|^{UNFINISHED}$")
"""Other codes inside an answer that blame the request, so another candidate would fail as well."""

_ADVICE: Mapping[_Kind, str] = MappingProxyType(
    {
        RateLimited: "Make fewer calls at once, raise the limit, or add another candidate to models.yaml.",
        ProviderUnavailable: "The request is not at fault: the same call may succeed later.",
        AuthenticationFailed: "Check the key that models.yaml names for this provider, and its permissions.",
        QuotaExhausted: "Waiting does not help: add credit there, or another candidate to models.yaml.",
        ModelNotFound: "Check the model's id in models.yaml, and that base_url is the root of the API (often /v1).",
        ContextTooLong: "Shorten the input, or add a candidate with a longer context to models.yaml.",
        AnswerUnreadable: "It is billed, so it is not retried: add another candidate to models.yaml.",
        ContentRefused: "Change the content, or add a candidate of another vendor to models.yaml.",
        RequestRejected: "Change the request: a retry does not help.",
    }
)

_ADVICE_AGAINST: Mapping[bool, str] = MappingProxyType(
    {
        True: "The vendor says that the same call may succeed later.",
        False: "The vendor says that a retry does not help: add another candidate to models.yaml.",
    }
)
"""Advice if the vendor's `x-should-retry` overrides the table."""


@dataclass(frozen=True)
class Complaint:
    """A vendor's error, independent of its format."""

    message: str
    status: int | None = None
    """HTTP status; `None` for an error inside an answer with status 200."""
    code: str | None = None
    type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Headers with names in lower case, or a case-insensitive mapping."""

    @classmethod
    def read(cls, body: object, status: int | None = None, headers: Mapping[str, str] | None = None) -> "Complaint":
        """Find message and codes in a body: vendors use several formats, gateways return HTML pages."""
        headers = headers or {}
        if not isinstance(body, dict):
            return cls(str(body or ""), status, headers=headers)
        said = cast(dict[str, object], body)
        nested = said.get("error")
        if isinstance(nested, dict):
            return cls.read(cast(object, nested), status, headers)
        code = said.get("code")
        if status is None and isinstance(code, int) and 400 <= code < 600:  # a gateway that always answers 200
            status = code
        message = said.get("message") or nested or said.get("detail") or ""
        return cls(str(message), status, _word(code), _word(said.get("type")), headers)


def _word(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and value != "" else None


def judge(complaint: Complaint, model: str, key: str | None = None) -> ProviderError:
    """Make the error of a complaint by the table at the top of this module."""
    return _error(_kind(complaint), complaint, model, key)


def unavailable(model: str, reason: str, key: str | None = None) -> ProviderError:
    """Make the error for an incomplete answer: a timeout, a dropped connection, a truncated body."""
    return _error(ProviderUnavailable, Complaint(reason), model, key)


def unreadable(model: str, reason: str, key: str | None = None) -> ProviderError:
    """Make the error for a complete answer in an unexpected format."""
    return _error(AnswerUnreadable, Complaint(reason), model, key)


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
    wait = requested_delay(complaint.headers) if again else None
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
