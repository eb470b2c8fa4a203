"""Kinds of answer fields, guessed from name and description."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Kind = Literal[
    "id",
    "query",
    "keyword",
    "topic",
    "title",
    "heading",
    "quote",
    "point",
    "prose",
    "gap",
    "question",
    "score",
    "other",
]

_NAMES: Mapping[Kind, str] = {
    "id": "id identifier source citation cite cited passage reference ref document doc file path evidence",
    "query": "query search lookup",
    "keyword": "keyword tag term keyphrase entity label word",
    "topic": "topic subject theme about area",
    "title": "title headline name",
    "heading": "heading header",
    "quote": "quote quotation excerpt extract verbatim snippet",
    "point": "point statement claim finding fact note insight takeaway highlight bullet observation sentence "
    "conclusion",
    "prose": "summary answer text abstract overview body content description explanation paragraph introduction "
    "reasoning reason rationale detail result response report message section",
    "gap": "gap missing unknown open unanswered limitation caveat",
    "question": "question",
    "score": "confidence score probability relevance certainty likelihood",
}
_BY_WORD: Mapping[str, Kind] = MappingProxyType(
    {word: kind for kind, names in _NAMES.items() for word in names.split()}
)
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def kind_of(name: str, description: str = "") -> Kind:
    """Guess by the last known word of the name (`source_title` is a title), else by the first of the description."""
    kinds: list[Kind] = [_BY_WORD[word] for word in (*reversed(_words(name)), *_words(description)) if word in _BY_WORD]
    if any(_BY_WORD.get(word) == "gap" for word in _words(name)):
        return "gap"  # `open_questions` and `missing_sources` are about absent content
    return kinds[0] if kinds else "other"


def _words(text: str) -> list[str]:
    parts = (part.lower() for part in _PART.findall(text))
    return [_singular(part) for part in parts]


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word
