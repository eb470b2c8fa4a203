"""Material of a request: a question, and passages with their ids."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from llmflow.providers.offline.extraction.kinds import kind_of
from llmflow.types.messages import Message, Text, ToolResult

_LABEL = re.compile(r"^\s*(?:[A-Za-z]+ )?(?:question|query|topic)\s*:\s*(?P<text>.*)$", re.I)
_ENDS_LABEL = re.compile(r"^\s*(?:$|[-*+•]\s|\d+[.)]\s|#|\S*\[|[A-Za-z][A-Za-z ]{0,30}:)")
_IDS = r"(?P<ids>(?:\[[^\[\]]+\](?!\()[ ,;]*)+)"
_HEADER = re.compile(rf"^\s*(?P<style>[-*+•]|\d+[.)]|#+|[A-Za-z]+)?\s*{_IDS}(?P<rest>.*)$")
_CITING = re.compile(rf"^\s*(?:[-*+•]|\d+[.)])\s+(?P<rest>.*[^\s\],;])\s+{_IDS}\.?\s*$")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+")
_TITLE = re.compile(r"^\s*\((?P<title>.+?)\)\s*(?::|$)(?P<text>.*)$")
_JSON = re.compile(r"^(?:[^\n\[{]*:)?[ \t]*\n?[ \t]*(?=[\[{])", re.MULTILINE)
_RUN_OF_BLANKS = re.compile(r"[^\S\n]{5,}")  # makes patterns slow
_EDGE = 3  # lines in which an unlabelled question may stand
_TRIES = 1_000  # places at which JSON may begin
_LONG = 4_000  # characters of a line: no finding is as long, and a search for ids at its end would be slow
_SHORT = 300  # characters: a text that is not longer is the question


@dataclass(frozen=True)
class InputPassage:
    """A piece of the input."""

    text: str
    """Markdown."""
    ids: tuple[str, ...] = ()
    """Ids by which the answer may cite the passage."""
    title: str = ""


@dataclass(frozen=True)
class Material:
    """The question and the content to answer it from."""

    question: str
    """The question; empty if there is none."""
    passages: tuple[InputPassage, ...]
    text: str
    """The whole text."""


def read(messages: Sequence[Message]) -> Material:
    """Find the question and the passages in user messages and tool results.

    A question is labelled (`Question: ...`), or is a line near the beginning or the end that ends in a question mark,
    or is the whole text if that is short. Passages begin with an id in brackets, as in
    `Passage [docs/a.md#2] (Title):` or `- [docs/a.md#2] a finding`, or are JSON objects. Without passages, the whole
    text is one.
    """
    said = [message for message in messages if message.role == "user"]
    text = "\n\n".join(part.text for message in said for part in message.parts if isinstance(part, Text | ToolResult))
    text = _RUN_OF_BLANKS.sub("    ", text.replace("\r\n", "\n"))
    question, rest = _take_question(text.split("\n"))
    question = question or next(filter(None, (_asked(message.text) for message in reversed(said))), "")
    if not question and len(text) <= _SHORT:
        question = text
    from_json, rest = _take_json(rest)
    passages = (*from_json, *_passages(rest.split("\n")))
    return Material(question, passages or (InputPassage(rest),), text)


def _asked(text: str) -> str:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return next((line for line in [*lines[:_EDGE], *lines[-_EDGE:]] if line.endswith("?")), "")


def _take_question(lines: Sequence[str]) -> tuple[str, str]:
    """Split the text into the labelled question and the rest."""
    for index, line in enumerate(lines):
        label = _LABEL.match(line)
        if label is None:
            continue
        end = index + 1
        found = [label["text"]]
        while end < len(lines) and (not any(found) or not _ENDS_LABEL.match(lines[end])):
            found.append(lines[end].strip())
            end += 1
        return " ".join(found).strip(), "\n".join([*lines[:index], *lines[end:]])
    return "", "\n".join(lines)


def _take_json(text: str) -> tuple[tuple[InputPassage, ...], str]:
    """Split the text into JSON passages and the rest."""
    passages: list[InputPassage] = []
    rest: list[str] = []
    at = done = 0
    for _ in range(_TRIES):
        begin = _JSON.search(text, at)
        if begin is None:
            break
        try:
            value, at = json.JSONDecoder().raw_decode(text, begin.end())
        except (ValueError, RecursionError):
            at = begin.end() + 1
            continue
        if found := list(_from_json(cast(JsonValue, value), ())):
            passages += found
            rest.append(text[done : begin.start()])
            done = at
    return tuple(passages), "".join([*rest, text[done:]])


def _from_json(value: JsonValue, ids: tuple[str, ...]) -> Iterator[InputPassage]:
    match value:
        case str():
            yield InputPassage(_as_item(value), ids)
        case list():
            for item in value:
                yield from _from_json(item, ids)
        case dict():
            named = {name: tuple(_strings(part)) for name, part in value.items()}
            own = tuple(dict.fromkeys(text for name in named if kind_of(name) == "id" for text in named[name])) or ids
            title = next(
                (named[name][0] for name in named if kind_of(name) in ("title", "heading") and named[name]), ""
            )
            texts = [text for name in named if kind_of(name) not in ("id", "title", "heading") for text in named[name]]
            if texts:
                yield InputPassage("\n\n".join(_as_item(text) for text in texts), own, title)
            for part in value.values():
                for item in part if isinstance(part, list) else [part]:
                    if isinstance(item, dict):
                        yield from _from_json(item, own)
        case _:
            return


def _strings(value: JsonValue) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            yield item


def _passages(lines: Sequence[str]) -> Iterator[InputPassage]:
    """Split lines into passages. Only headers in the style of the first one count: a passage may contain brackets."""
    style: str | None = None
    header: tuple[str, tuple[str, ...], str] | None = None
    body: list[str] = []
    for line in lines:
        found = _header(line)
        begins = found is not None and style in (None, found[0])
        ends = style == "item" and not (line.strip() and line[0].isspace())
        if header and (begins or ends):
            yield _passage(header, body)
            header, body = None, []
        if found and begins:
            style, header = found[0], found
        elif header:
            body.append(line)
    if header:
        yield _passage(header, body)


def _header(line: str) -> tuple[str, tuple[str, ...], str] | None:
    """Parse a header into style, ids and rest. List items may have their ids at the end."""
    for form in (_HEADER, _CITING) if len(line) <= _LONG else (_HEADER,):
        match = form.match(line)
        ids = _ids(match["ids"]) if match else ()
        if match and ids:
            style = "item" if _ITEM.match(line) else (match["style"] or "").lower()
            return style, ids, match["rest"]
    return None


def _passage(header: tuple[str, tuple[str, ...], str], body: Sequence[str]) -> InputPassage:
    style, ids, rest = header
    rest = rest.strip()
    title = ""
    if style == "item":
        rest = _as_item(rest.lstrip(": "))
    elif titled := _TITLE.match(rest):
        title, rest = titled["title"], titled["text"]
    elif rest.startswith(":"):
        rest = rest[1:]
    elif rest[-1:] not in (".", "!", "?"):
        title, rest = rest.rstrip(":"), ""
    return InputPassage("\n".join([rest.strip(), *body]).strip(), ids, title)


def _ids(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in re.split(r"[\[\],;]+", text) if part.strip())
    return tuple(dict.fromkeys(parts)) if all(_is_id(part) for part in parts) else ()


def _is_id(text: str) -> bool:
    # Excludes the checkbox `[x]`, the footnote `[^1]`, the link `[see there]`, and `[...]`.
    marked = any(character.isdigit() or character in "/#.:_-" for character in text)
    whole = "#" in text or " " not in text
    return marked and whole and text[0].isalnum() and text[-1].isalnum()


def _as_item(text: str) -> str:
    return text if "\n" in text else f"- {text}"
