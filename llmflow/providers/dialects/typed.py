"""Finds a typed answer in what a model says around it: fences, thoughts, the same answer twice."""

import json
import re
from collections.abc import Callable, Iterator, Sequence

_THOUGHTS = re.compile(r"\A.*</think(?:ing)?>\s*", re.DOTALL)
"""Thoughts before the answer; some chat templates leave their first tag out."""
_FENCED = re.compile(r"\A\s*```[\w-]*\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
_BEGIN = re.compile(r"[\[{]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)

_DECODER = json.JSONDecoder()


def typed_text(texts: Sequence[str], fits: Callable[[str], bool]) -> str:
    """Return the first text, or else the first JSON value in them, that fits; else all of the text.

    Args:
        texts: Texts of the answer's messages. Models write an answer in several, or the same one twice.
        fits: Tells if a text is an answer of the type.
    """
    whole = "".join(texts)
    if _is_json(whole):
        return whole
    whole = bare(whole)
    if _is_json(whole):
        return whole
    candidates = (*texts, *map(bare, texts), *_values(whole))
    return next((text for text in candidates if fits(text)), whole)


def bare(text: str) -> str:
    """Take the thoughts before an answer off, and the fence around it."""
    text = _THOUGHTS.sub("", text)
    fenced = _FENCED.match(text)
    return fenced[1] if fenced else text


def _values(text: str) -> Iterator[str]:
    """Yield the exact text of each outermost object and array, from left to right."""
    at = 0
    while begin := _BEGIN.search(text, at):
        try:
            _, at = _DECODER.raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            at = _end(text, begin.start())  # never a value inside of a broken one
            continue
        yield text[begin.start() : at]


def _end(text: str, begin: int) -> int:
    """Return the position after the bracket that closes the one at `begin`; the text's end if none does."""
    depth = 0
    for token in _TOKEN.finditer(text, begin):
        depth += (token[0] in "[{") - (token[0] in "]}")
        if depth == 0:
            return token.end()
    return len(text)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
