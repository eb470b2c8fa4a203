"""Splits documents into passages: pieces of one subject, short enough to quote."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

MIN_CHARACTERS = 600
"""About 100 words: a shorter passage continues past the next heading."""
MAX_CHARACTERS = 1500
"""About 250 words: the maximum of a passage."""
_MAX_PIECE = MAX_CHARACTERS // 2
"""Longer lines are cut, so that passages fill up well."""

_HEADING = re.compile(r"(#{1,6})\s+(\S.*)")
_WORD = re.compile(r"\s{0,3}\S*\w")
_FENCE = re.compile(r"\s*(```|~~~)")
_UNDERLINES = "=-~^\"'*+#:."
"""Characters that underline a heading in Markdown and reStructuredText, the highest level first."""


@dataclass(frozen=True)
class Excerpt:
    """A verbatim piece of a document."""

    ordinal: int
    """Position in its document, from 1."""
    line: int
    """First line, from 1."""
    heading: str
    """Headings above its beginning, such as `Prompts > Labels`; empty if there are none."""
    text: str


@dataclass(frozen=True)
class _Heading:
    level: int
    text: str
    height: int
    """Number of lines: one, or two if underlined."""


@dataclass
class _Block:
    """A paragraph, list or code block, with the heading right above it."""

    line: int
    headings: str
    heading_height: int = 0
    """Number of heading lines at its beginning."""
    lines: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        return "\n".join(self.lines).rstrip()

    @property
    def is_bare(self) -> bool:
        """True for a heading without text so far."""
        return self.heading_height > 0 and not any(self.lines[self.heading_height :])


@dataclass
class _Headings:
    """The current headings, from the outermost inwards."""

    stack: list[_Heading] = field(default_factory=list[_Heading])

    def enter(self, heading: _Heading) -> None:
        self.stack = [*(above for above in self.stack if above.level < heading.level), heading]

    @property
    def path(self) -> str:
        return " > ".join(heading.text for heading in self.stack)


def split(document: str) -> list[Excerpt]:
    """Split a Markdown, reStructuredText or plain text document; the same text always gives the same passages."""
    passages: list[Excerpt] = []
    open_blocks: list[_Block] = []

    def close() -> None:
        if open_blocks:
            first = open_blocks[0]
            text = "\n\n".join(block.text for block in open_blocks)
            passages.append(Excerpt(len(passages) + 1, first.line, first.headings, text))
            open_blocks.clear()

    for block in _fitting(_blocks(document)):
        size = sum(len(one.text) + 2 for one in open_blocks)
        if size + len(block.text) > MAX_CHARACTERS or (block.heading_height and size >= MIN_CHARACTERS):
            close()
        open_blocks.append(block)
    close()
    return passages


def first_heading(document: str) -> str | None:
    """Return the first heading, as the document's title."""
    return next((block.headings for block in _blocks(document) if block.heading_height), None)


def _blocks(document: str) -> Iterator[_Block]:
    """Cut the document at empty lines and headings; a fenced code block is one block."""
    lines, headings, fence = document.split("\n"), _Headings(), ""
    number = _metadata_lines(lines)
    block = _Block(1, "", lines=lines[:number]) if number else None
    while number < len(lines):
        line = lines[number]
        heading = None if fence or _FENCE.match(line) else _heading(lines, number)
        if block and (heading or not (line.strip() or fence or block.is_bare)):
            yield block
            block = None
        if heading:
            headings.enter(heading)
            block = _Block(number + 1, headings.path, heading.height)
        elif block is None and line.strip():
            block = _Block(number + 1, headings.path)
        if not heading and (marker := _FENCE.match(line)) and fence in {"", marker[1]}:
            fence = "" if fence else marker[1]
        height = heading.height if heading else 1
        if block:
            block.lines += [part.rstrip() for part in lines[number : number + height]]
        number += height
    if block:
        yield block


def _metadata_lines(lines: list[str]) -> int:
    """Count the lines of YAML front matter."""
    return lines.index("---", 1) + 1 if lines[:1] == ["---"] and "---" in lines[1:] else 0


def _heading(lines: list[str], number: int) -> _Heading | None:
    line = lines[number].rstrip()
    marked = _HEADING.fullmatch(line)
    if marked:
        return _Heading(len(marked[1]), re.sub(r" #+$", "", marked[2]), 1)
    above = lines[number - 1].strip() if number else ""
    below = lines[number + 1].rstrip() if number + 1 < len(lines) else ""
    if not _is_underline(below) or not _WORD.match(line) or (above and not _is_underline(above)):
        return None
    long_enough = len(below) >= len(line) or below[0] in "=-"
    return _Heading(_UNDERLINES.index(below[0]) + 1, line, 2) if long_enough else None


def _is_underline(line: str) -> bool:
    return len(line) >= 3 and len(set(line)) == 1 and line[0] in _UNDERLINES


def _fitting(blocks: Iterator[_Block]) -> Iterator[_Block]:
    """Cut blocks that are too long, between lines, or within a line that is too long itself."""
    for block in blocks:
        part = replace(block, lines=[])
        for number, line in enumerate(block.lines):
            for piece in _pieces(line):
                if part.lines and len(part.text) + 1 + len(piece) > MAX_CHARACTERS:
                    yield part
                    part = _Block(block.line + number, block.headings)
                part.lines.append(piece)
        yield part


def _pieces(line: str) -> Iterator[str]:
    """Cut a long line after sentences, or else between words."""
    while len(line) > _MAX_PIECE:
        ends = [line.rfind(mark, _MAX_PIECE // 2, _MAX_PIECE) + 1 for mark in (". ", "? ", "! ")]
        end = max(ends) or line.rfind(" ", _MAX_PIECE // 2, _MAX_PIECE) + 1 or _MAX_PIECE
        yield line[:end].rstrip()
        line = line[end:].lstrip()
    yield line
