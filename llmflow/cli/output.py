"""Printing: data on stdout, everything else on stderr, colours on terminals only."""

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.highlighter import JSONHighlighter
from rich.segment import Segment
from rich.text import Text

from llmflow.types.base import plain
from llmflow.types.texts import visible, visible_json
from llmflow.types.usage import Totals, dollars

_PIPED_WIDTH = 200  # columns: output to a pipe is for `grep`, so nothing is cut to 80


class SafeConsole(Console):
    """A console on which text is text: no markup in strings, and no character in any text acts on the terminal."""

    def __init__(self, *, file: IO[str] | None = None, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(file=file, stderr=stderr, width=width, highlight=False, emoji=False, markup=False)

    def render_str(self, text: str, **how: Any) -> Text:  # Any: styles and flags, which are passed on
        """Make visible what Rich would remove from a string without a word."""
        return super().render_str(visible(text), **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Make visible what would act: a text before it is laid out, and the rest as it comes."""
        if isinstance(renderable, Text) and renderable.plain != (shown := visible(renderable.plain)):
            renderable = renderable.copy()
            renderable.plain = shown
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if (stream and stream.isatty()) or "COLUMNS" in os.environ else _PIPED_WIDTH
    return SafeConsole(stderr=stderr, width=width)


out = _console(stderr=False)
err = _console(stderr=True)


def say(line: str, style: str = "") -> None:
    """Print a line for a person, while a program may read stdout."""
    err.print(Text(line, style), soft_wrap=not err.is_terminal)


def print_json(value: object) -> None:
    """Print one JSON document: models whole, with the fields that are left out on the wire."""
    document = json.dumps(plain(value), indent=2, ensure_ascii=not out.encoding.startswith("utf"))
    out.print(JSONHighlighter()(visible_json(document)), soft_wrap=True)


def print_text(text: str, end: str = "\n") -> None:
    """Print data that is text: exact for a program, and what would act on a terminal visible there."""
    if out.is_terminal:
        out.print(Text(visible(text)), soft_wrap=True, end=end)
    else:
        sys.stdout.write(f"{text}{end}")


def duration(length: timedelta) -> str:
    """Format a duration, such as `340 ms`, `2.1 s`, `1 min 20 s`, `3 d 4 h`."""
    seconds = length.total_seconds()
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, hours, days = (int(seconds) // unit for unit in (60, 3600, 86400))
    if minutes < 60:
        return f"{minutes} min {int(seconds) % 60} s"
    return f"{hours} h {minutes % 60} min" if hours < 24 else f"{days} d {hours % 24} h"


def took(started: datetime, ended: datetime | None) -> str:
    """Format the time from start to end, or to now."""
    return duration((ended or datetime.now(UTC)) - started)


def when(moment: datetime, now: datetime | None = None) -> str:
    """Format a moment in the time zone of this machine, without the date on the day of `now`, else without seconds."""
    here, today = moment.astimezone(), (now or datetime.now(UTC)).astimezone().date()
    return f"{here:%H:%M:%S}" if here.date() == today else f"{here:%Y-%m-%d %H:%M}"


def cost(totals: Totals) -> str:
    """Format the cost of calls. Calls of unknown price are counted, never taken as free."""
    unpriced = totals.unpriced_calls
    if not unpriced:
        return dollars(totals.usd)
    unknown = f"{unpriced} {plural(unpriced, 'call')} of unknown price"
    return unknown if unpriced == totals.calls else f"{dollars(totals.usd)} + {unknown}"


def near(path: str | Path | None) -> str:
    """Return a path relative to the current folder, if it is in it."""
    here, there = Path.cwd(), Path(path or "")
    return str(there.relative_to(here) if there.is_relative_to(here) else there)


def plural(count: int, word: str) -> str:
    """Return the word, with an `s` unless the number is one."""
    return word if count == 1 else f"{word}s"
