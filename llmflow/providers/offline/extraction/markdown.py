"""Sentences of Markdown, as a reader would quote them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"^\s*(```|~~~)")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*$")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_NO_PROSE = re.compile(r"^\s*(?:\||[-=*_]{3,}\s*$|!\[|<[!/a-zA-Z]|\[[^\]]+\]:|\$ |>>> )")
_INDENTED_CODE = re.compile(r"^(?: {4}|\t)\s*\S.*[;{}=()]")
_BLOCK_QUOTE = re.compile(r"^\s*>\s?")
# A full stop ends a sentence if the next word looks like a beginning and the last one is no abbreviation.
_END = re.compile(r"(?<=[.!?…])[\"')\]*”\u2019]*(?=\s+(?:`|[\"'(\[*“\u2018]*[A-Z0-9À-ÖØ-Þ]))|(?<=[。\uff01\uff1f])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|cf|vs|approx|fig|eq|sec|dr|mr|mrs|ms|prof)|(?<![\w'\u2019])(?-i:[A-Z]))\.$", re.IGNORECASE
)
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^)]*\)|(?<!\w)\[([^\[\]]+)\](?:\[[^\[\]]*\])?")
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3}|_{1,3})(?=\S)(.+?)(?<=\S)\1(?![\w*])")
_SENTENCE_LIMIT = 400  # characters: a longer one is a list in disguise
_BLOCK_LIMIT = 50_000  # characters: no paragraph is as long, and patterns for pairs are slow on it


@dataclass(frozen=True)
class Sentence:
    """One sentence and its heading."""

    text: str
    """Readable text: without links and emphasis, code in backticks, single spaces."""
    raw: str
    """Text of the input, with single spaces."""
    heading: str = ""


@dataclass(frozen=True)
class _ProseBlock:
    text: str
    heading: str
    is_item: bool
    may_be_cut: bool
    """True for the first block: a passage may begin in the middle of a sentence."""


def sentences(markdown: str) -> list[Sentence]:
    """Return the sentences of prose in order, without tables, code blocks, lead-ins and fragments."""
    found: list[Sentence] = []
    for block in _blocks(markdown):
        parts = list(_split(block.text[:_BLOCK_LIMIT]))
        for index, raw in enumerate(parts):
            text = plain(raw[: 4 * _SENTENCE_LIMIT])
            if block.is_item and index == len(parts) - 1 and text[-1:].isalnum() and len(text.split()) >= 5:
                text += "."  # list items often have none
            if _is_quotable(text, may_be_cut=block.may_be_cut and index == 0):
                found.append(Sentence(text, raw, block.heading))
    return found


def plain(raw: str) -> str:
    """Convert one line of Markdown to text; code stays unchanged."""
    done = 0
    parts: list[str] = []
    for code in _CODE.finditer(raw):
        parts += [_without_marks(raw[done : code.start()]), code.group()]
        done = code.end()
    return " ".join("".join([*parts, _without_marks(raw[done:])]).split())


def _without_marks(raw: str) -> str:
    return _EMPHASIS.sub(r"\2", _LINK.sub(lambda link: link.group(1) or link.group(2) or "", raw)).replace("**", "")


def _is_quotable(text: str, *, may_be_cut: bool) -> bool:
    letters = sum(character.isalpha() for character in text)
    return (
        len(text) <= _SENTENCE_LIMIT
        and (len(text.split()) >= 4 or (letters > 6 and not text.isascii()))
        and not text.startswith("(")
        and not (may_be_cut and text[0].islower())
        and text.rstrip("\"')`”\u2019]")[-1:] in set(".!?…。\uff01\uff1f")
        and text.count("(") == text.count(")")
        and text.count("`") % 2 == 0
        and sum(len(code.group()) for code in _CODE.finditer(text)) <= len(text) * 2 / 3
        and letters >= 0.6 * len(text.replace(" ", ""))
    )


def _blocks(markdown: str) -> Iterator[_ProseBlock]:
    """Yield paragraphs and list items, their lines joined."""
    heading, fence, is_item, begun = "", "", False, False
    lines: list[str] = []
    for line in [*markdown.splitlines(), ""]:
        line = _BLOCK_QUOTE.sub("", line)
        mark = _FENCE.match(line)
        title, item = (None, None) if fence or mark else (_HEADING.match(line), _ITEM.match(line))
        is_code = bool(fence or mark or _NO_PROSE.match(line) or (not lines and _INDENTED_CODE.match(line)))
        if lines and (is_code or title or item or not line.strip()):
            yield _ProseBlock(" ".join(" ".join(lines).split()), heading, is_item, may_be_cut=not begun)
            lines, begun = [], True
        if mark:
            fence = "" if fence == mark.group(1) else fence or mark.group(1)
        elif title:
            heading, begun = plain(title.group(1)), True
        elif line.strip() and not is_code:
            is_item = is_item if lines else bool(item)
            lines.append(line[item.end() :] if item else line)


def _split(block: str) -> Iterator[str]:
    code = {at for span in _CODE.finditer(block) for at in range(*span.span())}
    start = 0
    for match in _END.finditer(block):
        if match.start() not in code and not _ABBREVIATION.search(block[start : match.start()]):
            yield block[start : match.end()].strip()
            start = match.end()
    yield block[start:].strip()
