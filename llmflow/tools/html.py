"""Reduces HTML to its readable text.

Not `html.parser`, because pages may be hostile: up to Python 3.11.13 it takes quadratic time (13 s for 40 kB of
`<a `) and raises `AssertionError` on `<![<`. This parser consumes every character once.
"""

import html
import re
from dataclasses import dataclass, field
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
      <!--.*?(?:-->|\Z)                                    # comment
    | <[!?][^>]*+(?:>|\Z)                                  # doctype, processing instruction
    | <(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*+)              # tag; a `>` in a quoted value does not close it
      (?P<rest>(?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+')?+)*+)(?:>|\Z)
    """,
    re.DOTALL | re.VERBOSE,
)
_SPACE = re.compile(r"\s+")
_LINE_END = re.compile(r"(?<![ \t])[ \t]++\n")
_GAP = re.compile(r"\n{3,}")

_DROPPED = frozenset(
    ("script", "style", "noscript", "template", "svg", "math", "iframe", "object", "select", "button", "nav")
)
"""Elements without text of the page itself."""
_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "dd", "details", "div", "dl", "dt", "fieldset"),
        *("figcaption", "figure", "footer", "form", "header", "hr", "html", "main", "ol", "p", "pre", "section"),
        *("summary", "table", "ul"),
    )
)
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_BREAKS = {"br": "\n", "li": "\n- ", "tr": "\n", "td": " | ", "th": " | "}


class Readable(NamedTuple):
    """The readable content of a page."""

    text: str
    """Paragraphs separated by empty lines, headings with `#`, list items with `-`."""
    title: str | None


@dataclass
class _Text:
    pieces: list[str] = field(default_factory=list[str])
    preformatted: bool = False

    def add(self, markup: str) -> None:
        text = _plain(markup)
        if not self.preformatted:
            text = _SPACE.sub(" ", text)
            if not self.pieces or self.pieces[-1].endswith((" ", "\n")):
                text = text.lstrip()
        if text:
            self.pieces.append(text)

    def tag(self, name: str, closing: bool) -> None:
        if name == "pre":
            self.preformatted = not closing
        if name in _HEADINGS:
            self.pieces.append("\n\n" if closing else f"\n\n{_HEADINGS[name]} ")
        elif name in _BLOCKS:
            self.pieces.append("\n\n")
        elif name in _BREAKS and not closing:
            self.pieces.append(_BREAKS[name])


def readable(markup: str) -> Readable:
    """Extract the text of a page, also a malformed one, in time linear in its length."""
    out, title, position = _Text(), None, 0
    while (start := markup.find("<", position)) >= 0:
        token = _TOKEN.match(markup, start)
        if token is None:  # a lone `<`
            out.add(markup[position : start + 1])
            position = start + 1
            continue
        out.add(markup[position:start])
        position = token.end()
        name, closing = (token["name"] or "").lower(), bool(token["end"])
        if not closing and (name == "title" or name in _DROPPED) and not token["rest"].endswith("/"):
            inside, position = _until_closed(markup, name, position)
            if name == "title" and title is None:
                title = _SPACE.sub(" ", _plain(inside)).strip() or None
        else:
            out.tag(name, closing)
    out.add(markup[position:])
    text = _LINE_END.sub("\n", "".join(out.pieces))
    return Readable(_GAP.sub("\n\n", text).strip(), title)


def _until_closed(markup: str, name: str, position: int) -> tuple[str, int]:
    """Return the raw content of an element and the position of its closing tag; without one, the rest of the page."""
    found = re.compile(f"</{name}", re.IGNORECASE).search(markup, position)
    end = found.start() if found else len(markup)
    return markup[position:end], end


def _plain(markup: str) -> str:
    try:
        return html.unescape(markup)
    except ValueError:  # a numeric entity with more digits than Python converts
        return markup
