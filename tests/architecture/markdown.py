"""README and docs, as blocks of code and links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from .source import ROOT

FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<code>.*?)^(?P=indent)```\s*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)[^)]*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
HEADING = re.compile(r"^#+\s+(.+?)\s*#*$", re.MULTILINE)
INLINE_CODE = re.compile(r"`[^`\n]+`")


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    options: tuple[str, ...]
    line: int
    """Line number of its first line of code."""
    code: str


@dataclass(frozen=True)
class Page:
    """One Markdown file; or an example that pretends to be one."""

    path: str
    text: str

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(self._blocks())

    def _blocks(self) -> Iterator[Block]:
        for fence in FENCE.finditer(self.text):
            language, *options = fence["info"].split() or [""]
            code = re.sub(f"^{fence['indent']}", "", fence["code"], flags=re.MULTILINE)
            yield Block(language, tuple(options), self.text.count("\n", 0, fence.start("code")) + 1, code)

    @cached_property
    def prose(self) -> str:
        """The text without its code, line for line."""
        text = FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), self.text)
        return INLINE_CODE.sub("", text)

    def links(self) -> Iterator[tuple[int, str]]:
        """Line and target of each link and picture."""
        for link in LINK.finditer(self.prose):
            yield self.prose.count("\n", 0, link.start()) + 1, link[1] or link[2]

    def anchors(self) -> set[str]:
        """Return the anchors of a page, in GitHub's spelling."""
        headings = HEADING.findall(FENCE.sub("", self.text))
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

    def at(self, line: int, problem: str) -> str:
        return f"{self.path}:{line}: {problem}"


def pages() -> Iterator[Page]:
    """README, CONTRIBUTING and docs."""
    for file in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))):
        yield Page(file.relative_to(ROOT).as_posix(), file.read_text("utf-8"))


def commands(block: Block) -> Iterator[tuple[int, list[str]]]:
    """Line and words of each command; in a `console` block those after `$`, the rest is output."""
    joined = block.code.replace("\\\n", "\0")
    line = block.line
    for text in joined.splitlines():
        if block.language != "console" or text.startswith("$ "):
            words = shlex.split(text.removeprefix("$ ").replace("\0", " "), comments=True)
            for command in _split(words):
                yield line, command
        line += text.count("\0") + 1


def _split(words: list[str]) -> Iterator[list[str]]:
    """`A=1 make demo && llmflow list | head` -> [make, demo], [llmflow, list], [head]."""
    command: list[str] = []
    for word in [*words, ";"]:
        if word in {"&&", "||", "|", ";", "&"}:
            if command:
                yield command
            command = []
        elif command or not re.match(r"\w+=", word):
            command.append(word)
