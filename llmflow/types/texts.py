"""Text of strangers, made safe for the place that shows it: terminals, logs, Markdown, commands to copy.

Payloads, details, tags, tenants, ids, comments and vendor errors are such text.
"""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from types import MappingProxyType

_REPLACEMENT = "�"
_UNSAFE = (
    *((0x00, 0x08), (0x0B, 0x1F), (0x7F, 0x9F)),  # C0 without tab and newline, DEL, C1: escape codes
    *((0xAD, 0xAD), (0x61C, 0x61C), (0x180E, 0x180E), (0x200B, 0x200B)),  # invisible
    *((0x200E, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F)),  # bidi marks, separators, embeddings, isolates
    *((0xD800, 0xDFFF), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB)),  # lone surrogates, byte order mark, annotations
    *((0xE0000, 0xE007F),),  # tags, which spell out hidden ASCII
)
"""Ranges of code points that act on a terminal, change the order of what is read, or hide. Joiners spell words."""


def _picture(code: int) -> str:
    if code < 0x20:
        return chr(0x2400 + code)  # ␛ for ESC
    return "␡" if code == 0x7F else _REPLACEMENT


_PICTURES: Mapping[int, str] = MappingProxyType(
    {code: _picture(code) for first, last in _UNSAFE for code in range(first, last + 1)}
)
_ON_ONE_LINE: Mapping[int, str] = MappingProxyType({**_PICTURES, 0x09: " ", 0x0A: "␊"})
_UNSAFE_CHARACTER = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in _UNSAFE) + "]")
_UNSAFE_ON_LINE = re.compile(f"[\t\n]|{_UNSAFE_CHARACTER.pattern}")
# Each looks at a character a fixed number of times: workflow code has 2 s, and a stranger sends what is slowest.
_WORD = re.compile(r"\S+")
_OF_AN_ADDRESS = re.compile(r":/|www\.|@|mailto:|xmpp:", re.IGNORECASE)
_MARKUP = re.compile(r"[\\`*\[\]<>&|~$]|\b_\B|\B_|^\s*(?:[#+=-]|\d+[.)])")
_ACTIVE = re.compile(r"(?<!\\)(\\*)([<>&\[\]$])")


def visible(text: str) -> str:
    """Show each character that would act on a terminal, as one that does not: `␛` for an escape, `�` for bidi marks.

    The length stays, so that styles of parts still fit.
    """
    return text.translate(_PICTURES)


def one_line(text: str) -> str:
    """Do the same for a line of a log, which a newline of a stranger must not end: `␊`."""
    return text.translate(_ON_ONE_LINE)


def visible_json(document: str) -> str:
    """Escape the same characters in a JSON document as JSON does, so that its values stay exact."""
    return _UNSAFE_CHARACTER.sub(lambda found: json.dumps(found[0])[1:-1], document)


def code(text: str) -> str:
    """Return a code span of Markdown that shows the text exactly, and that no backtick in it ends."""
    line = one_line(text)
    return _span(line, _fence(line)) if line else ""


def markdown(text: str) -> str:
    """Return Markdown that shows plain text exactly, in one line: no emphasis, HTML, link, image or formula."""
    line = one_line(text)
    return _without_links(line, _fence(line), lambda words: _MARKUP.sub(_escaped, words))


def harmless(text: str) -> str:
    """Return Markdown of a workflow with its emphasis, lists and tables, and without HTML, links, images, formulas.

    These are shown as text: a workflow may put words of strangers into it.
    """
    text = visible(text)
    fence = _fence(text)  # longer than all there are, so that a backtick left open does not pair with it
    return "\n".join(_without_links(line, fence, _inactive) for line in text.splitlines())


def _without_links(line: str, fence: str, rest: Callable[[str], str]) -> str:
    """Show addresses, which viewers make links of, as code; and treat the rest."""
    parts: list[str] = []
    end = 0
    for found in _WORD.finditer(line):
        if not _OF_AN_ADDRESS.search(found[0]):
            continue
        parts += [rest(line[end : found.start()]), _span(found[0], fence)]
        end = found.end()
    return "".join((*parts, rest(line[end:])))


def _fence(text: str) -> str:
    return "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))


def _span(text: str, fence: str) -> str:
    pad = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _inactive(words: str) -> str:
    return _ACTIVE.sub(_entity, words)


def _entity(found: re.Match[str]) -> str:
    """The backslash that escapes it already would escape the entity instead."""
    return f"{found[1][: len(found[1]) // 2 * 2]}&#{ord(found[2])};"


def _escaped(found: re.Match[str]) -> str:
    """A `$` would begin a formula in the Web UI, also after a backslash."""
    return "&#36;" if found[0] == "$" else f"{found[0][:-1]}\\{found[0][-1]}"


def command_line(*words: str) -> str:
    """Return a command for people to copy: each word quoted for a shell, control characters in bash's own escapes."""
    return " ".join(_word(word) for word in words)


def _word(word: str) -> str:
    if not _UNSAFE_ON_LINE.search(word):
        return shlex.quote(word)
    written = (f"\\x{byte:02x}" if byte < 0x20 or byte > 0x7E or byte in b"\\'" else chr(byte) for byte in _utf8(word))
    return f"$'{''.join(written)}'"


def _utf8(word: str) -> bytes:
    return word.encode("utf-8", "surrogatepass")
