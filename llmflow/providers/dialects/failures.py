"""Classifies vendors' failures as llmflow's errors: the table that decides what is retried.

    a code or type that vendors document  e.g. `context_length_exceeded`, `insufficient_quota`; a code beats a type
    a sentence in the message             compatible servers send no codes, or codes of their own
    the HTTP status                       408, 409, 425, 429, 498, 499, 5xx are retried; other 4xx are not
    neither status nor code               timeouts, dropped connections, truncated bodies: retried; may be billed

A vendor's `x-should-retry` header overrides the table's decision to retry.

Keys are removed from every text before it becomes a message, because messages end up in histories and logs.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from llmflow.errors import (
    AnswerLost,
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
    RequestUnsupported,
)
from llmflow.providers.dialects.complaints import Complaint
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
        "unsupported_parameter": RequestUnsupported,
        "unsupported_value": RequestUnsupported,
        "unsupported_country_region_territory": RequestUnsupported,
        # Google: `status`, and the reasons in its details
        "API_KEY_INVALID": AuthenticationFailed,
        "UNAUTHENTICATED": AuthenticationFailed,
        "PERMISSION_DENIED": AuthenticationFailed,
        # Kimi
        "exceeded_current_quota_error": QuotaExhausted,
        "invalid_authentication_error": AuthenticationFailed,
        "incorrect_api_key_error": AuthenticationFailed,
        "resource_not_found_error": ModelNotFound,
        # Groq: the model's own words did not fit; the request is not at fault
        "tool_use_failed": ProviderUnavailable,
        "json_validate_failed": ProviderUnavailable,
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
    (
        re.compile(
            r"(invalid|incorrect|missing|expired|no) (x-)?(api[ _-]?key|credentials|bearer token)"
            r"|api[ _-]?key (is |was |has )?(not valid|invalid|incorrect|expired|missing|not found|required)"
            r"|(invalid|failed) authentication|unauthori[sz]ed",
            re.I,
        ),
        AuthenticationFailed,
    ),
    (
        re.compile(
            r"(does|do|is|are)( not|n't) (currently |yet )?(support|permitted|available|allowed|implemented)"
            r"|unsupported|unavailable now|not permitted|response_format|json_schema"
            r"|(unknown|unrecognized|extra) (request )?(argument|parameter|field|input|name)",
            re.I,
        ),
        RequestUnsupported,
    ),
)
"""For servers without codes, or with their own. At 429 and 5xx only the first applies: their texts vary."""

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
        498: ProviderUnavailable,  # Groq's, for a tier that is full
        499: ProviderUnavailable,
        **dict.fromkeys((400, 411, 414, 422, 431), RequestRejected),
    }
)
"""Any other 4xx says something of the vendor (a method, a size, a country), which another one may not repeat."""

_BUSY: Mapping[str, _Kind] = MappingProxyType(
    {
        "rate_limit_exceeded": RateLimited,
        "rate_limit_error": RateLimited,
        "rate_limit_reached_error": RateLimited,
        "RESOURCE_EXHAUSTED": RateLimited,
        "server_overloaded": ProviderUnavailable,
        "overloaded_error": ProviderUnavailable,
        "engine_overloaded_error": ProviderUnavailable,
        "capacity_exceeded": ProviderUnavailable,
    }
)
"""Words for which waiting helps, whatever the status."""

_BY_CODE_INSIDE_AN_ANSWER: Mapping[str, _Kind] = MappingProxyType(
    {
        **_BUSY,
        "server_error": ProviderUnavailable,
        "vector_store_timeout": ProviderUnavailable,
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

_MAYBE_BILLED = frozenset({None, 504, 524})
"""Statuses of failures that may be billed: a gateway, or Cloudflare, waited no longer for an answer that the vendor
may have gone on writing. Or an answer or a stream had begun with 200."""

_BLAMES_THE_REQUEST = re.compile(rf"^invalid_|image|^{UNFINISHED}$")
"""Other codes inside an answer that blame the request, so another candidate would fail as well."""

_ADVICE: Mapping[_Kind, str] = MappingProxyType(
    {
        RateLimited: "Make fewer calls at once, raise the limit, or add another candidate to models.yaml.",
        ProviderUnavailable: "The request is not at fault: the same call may succeed later.",
        AnswerLost: "The request is not at fault: the same call may succeed later. It may be billed.",
        AuthenticationFailed: "Check the key that models.yaml names for this provider, and its permissions.",
        QuotaExhausted: "Waiting does not help: add credit there, or another candidate to models.yaml.",
        ModelNotFound: "Check the model's id in models.yaml, and that base_url is the root of the API (often /v1).",
        ContextTooLong: "Shorten the input, or add a candidate with a longer context to models.yaml.",
        AnswerUnreadable: "It is billed, so it is not retried: add another candidate to models.yaml.",
        ContentRefused: "Change the content, or add a candidate of another vendor to models.yaml.",
        RequestRejected: "Change the request: a retry does not help.",
        RequestUnsupported: "Ask for less, or add a candidate that can do it to models.yaml.",
    }
)

_ADVICE_AGAINST: Mapping[bool, str] = MappingProxyType(
    {
        True: "The vendor says that the same call may succeed later.",
        False: "The vendor says that a retry does not help: add another candidate to models.yaml.",
    }
)
"""Advice if the vendor's `x-should-retry` overrides the table."""


def judge(complaint: Complaint, model: str, secrets: tuple[str, ...] = ()) -> ProviderError:
    """Make the error of a complaint by the table at the top of this module."""
    kind = _kind(complaint)
    if kind is ProviderUnavailable and complaint.status in _MAYBE_BILLED:
        kind = AnswerLost
    return _error(kind, complaint, model, secrets)


def unavailable(model: str, reason: str, secrets: tuple[str, ...] = ()) -> ProviderError:
    """Make the error for a request that was not sent: there was no connection."""
    return _error(ProviderUnavailable, Complaint(reason), model, secrets)


def unmade(model: str, reason: str, secrets: tuple[str, ...] = ()) -> ProviderError:
    """Make the error for a request that was not sent: this worker cannot make the connection at all."""
    said = scrub(reason, secrets)
    return ProviderUnavailable(
        f"{model} was not asked, because no connection can be made: {said}. Correct it where the worker runs.",
        ErrorDetail(model=model, retry=False),
    )


def lost(model: str, reason: str, secrets: tuple[str, ...] = ()) -> ProviderError:
    """Make the error for an incomplete answer: a timeout, a dropped connection, a truncated body."""
    return _error(AnswerLost, Complaint(reason), model, secrets)


def unreadable(model: str, reason: str, secrets: tuple[str, ...] = ()) -> ProviderError:
    """Make the error for a complete answer in an unexpected format."""
    return _error(AnswerUnreadable, Complaint(reason), model, secrets)


def _kind(complaint: Complaint) -> _Kind:
    status = complaint.status
    words = [word for word in (complaint.code, complaint.type, *complaint.reasons) if word]
    if known := next((_BY_CODE[word] for word in words if word in _BY_CODE), None):
        return known
    fails = status is not None and status >= 500
    for sentence, kind in _BY_SENTENCE[: 1 if fails or status == HTTPStatus.TOO_MANY_REQUESTS else None]:
        if sentence.search(complaint.message):
            return kind
    if fails:
        return ProviderUnavailable
    if status is None:
        return next(filter(None, map(_inside, words)), ProviderUnavailable)
    busy = next((_BUSY[word] for word in words if word in _BUSY), None)
    return busy or _BY_STATUS.get(status, RequestUnsupported)


def _inside(word: str) -> _Kind | None:
    """Return the kind of a word inside an answer with status 200."""
    blamed = RequestRejected if _BLAMES_THE_REQUEST.search(word) else None
    return _BY_CODE_INSIDE_AN_ANSWER.get(word, blamed)


def _error(kind: _Kind, complaint: Complaint, model: str, secrets: tuple[str, ...]) -> ProviderError:
    said = " ".join(scrub(complaint.message, secrets).split()).rstrip(".") or "it gave no reason"
    quote = said if len(said) <= LONGEST_QUOTE else said[:LONGEST_QUOTE] + " ..."
    code = scrub(complaint.code or complaint.type or "", secrets)
    headers = complaint.headers
    request = scrub(headers.get("x-request-id") or headers.get("request-id", ""), secrets)
    retry = {"true": True, "false": False}.get(complaint.headers.get("x-should-retry", ""))
    again = kind.retryable if retry is None else retry
    wait = requested_delay(complaint.headers, complaint.delay) if again else None
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
