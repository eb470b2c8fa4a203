"""Vendors' errors, read from every format in which they come.

{"error": {"message", "type", "code", "param"}}                       OpenAI, and most servers that follow it
{"error": "text"}, {"message": ...}, {"detail": ...}, {"detail": [{"msg"}]}    Ollama, Mistral, FastAPI
[{"error": {"code": 429, "status", "details": [{"reason"}, {"retryDelay"}]}}]   Google
{"type": "error", "error": {"type", "message"}}                       Anthropic
{"error": {"code": 400, "metadata": {"raw": "{...}"}}}                OpenRouter, around another vendor's
{"success": false, "errors": [{"message"}]}                           Cloudflare
a page of HTML                                                        proxies
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import cast

from pydantic_core import from_json

from llmflow.providers.dialects.delays import delay_in
from llmflow.providers.dialects.lenient import word

_Json = Mapping[str, object]

_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_DEPTH = 5
"""Errors inside of errors that are read."""


@dataclass(frozen=True)
class Complaint:
    """A vendor's error, independent of its format."""

    message: str
    status: int | None = None
    """HTTP status; `None` for an error inside an answer with status 200."""
    code: str | None = None
    type: str | None = None
    reasons: tuple[str, ...] = ()
    """Further words of the vendor: Google's `status`, and the reasons in its details."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Headers with names in lower case, or a case-insensitive mapping."""
    delay: float | None = None
    """Seconds that the body asks to wait."""

    @classmethod
    def read(cls, body: object, status: int | None = None, headers: Mapping[str, str] | None = None) -> "Complaint":
        """Find message, words and delay in a body; the innermost error has the message, and the outermost the code."""
        levels = list(_levels(body))
        read = [said for level in levels if (said := _object(level))]
        codes = [code for said in read if (code := word(said.get("code")))]
        if status is None:  # a gateway that always answers 200
            status = next((int(code) for code in codes if code.isdecimal() and 400 <= int(code) < 600), None)
        words = [code for code in codes if not code.isdecimal()] or codes
        types = (word(said.get("type")) for said in read)
        messages = [text for level in levels if (text := _message(level))]
        message = messages[-1] if messages else ""
        return cls(
            message=message,
            status=status,
            code=next(iter(words), None),
            type=next((kind for kind in types if kind and kind != "error"), None),
            reasons=tuple(reason for said in read for reason in _reasons(said)),
            headers=headers or {},
            delay=delay_in(message, *(detail for said in read for detail in (said, *_details(said)))),
        )


def first_error(*errors: object) -> object:
    """Return the first error that says anything; `None` if none does. Some servers always send an empty one."""
    return next((one for one in errors if (any(_object(one).values()) if _object(one) else one)), None)


def error_in(event: object) -> object:
    """Return the error in an event of a stream; `None` for a piece of an answer."""
    said = _object(_first(event))
    return first_error(said.get("error")) or (said if "error" in (said.get("type"), said.get("object")) else None)


def complaint_in(data: bytes) -> Complaint | None:
    """Return the error in a body with status 200 that is no answer; `None` if it says none."""
    try:
        said = _object(_first(from_json(data)))
    except ValueError:
        text = data.decode(errors="replace")
        return Complaint(f"a page, not an answer: {_text(text)}") if text.lstrip().startswith("<") else None
    read = Complaint.read(said) if {"error", "errors", "message", "detail", "msg"} & said.keys() else None
    if read and (read.message or read.code):
        return read
    return Complaint("the answer has no choices") if said.get("choices", said) in (None, []) else None


def _levels(body: object) -> Iterator[object]:
    """Yield the errors that are inside of each other, the outermost first."""
    for _ in range(_DEPTH):
        body = _first(body)
        yield body
        if not (body := _inner(_object(body))):
            return


def _inner(said: _Json) -> object:
    raw = _object(said.get("metadata")).get("raw")  # of the vendor behind OpenRouter
    found = said.get("error") or said.get("errors") or _json_of(raw) or raw or _json_of(said.get("message"))
    return None if isinstance(found, bool | int) else found


def _object(value: object) -> _Json:
    return cast(_Json, value) if isinstance(value, Mapping) else {}


def _items(value: object) -> list[object]:
    return cast(list[object], value) if isinstance(value, list) else [value]


def _first(body: object) -> object:
    """Return the first of several errors."""
    return next(filter(_object, _items(body)), body)


def _json_of(value: object) -> object:
    """Return the JSON object in a text, such as an error that a gateway quotes."""
    if not isinstance(value, str):
        return _object(value)
    if not value.lstrip().startswith(("{", "[")):
        return None
    try:
        return from_json(value)
    except ValueError:
        return None


def _message(level: object) -> str:
    said = _object(level)
    if not said:
        return _text(str(level or ""))
    found = said.get("message") or said.get("detail") or said.get("msg") or ""
    return "" if isinstance(found, Mapping) else _text(str(found))


def _text(text: str) -> str:
    """Return a text without the tags of a page."""
    return unescape(_TAGS.sub(" ", text)).strip() if text.lstrip().startswith("<") else text


def _details(said: _Json) -> Iterator[_Json]:
    for name in ("details", "metadata"):
        yield from (_object(item) for item in _items(said.get(name)))


def _reasons(level: _Json) -> Iterator[str]:
    for fields, name in ((level, "status"), *((detail, "reason") for detail in _details(level))):
        if (said := word(fields.get(name))) and not said.isdecimal():
            yield said
