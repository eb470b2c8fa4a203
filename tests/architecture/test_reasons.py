"""Silencing a tool or catching everything is allowed with a reason beside it, in a comment."""

import ast
import re
from collections.abc import Iterator

import pytest

from .source import Source, example, holds, sources

EVERYTHING = ("llmflow", "workflows", "workers", "tests", "bench")

MARKER = re.compile(
    r"#\s*(type:\s*ignore|noqa|pyright:\s*ignore|pragma:)(\[[\w\s,-]*\]|:[\s\w,]*\b[A-Z]+\d+|\s*no\s*cover)?"
)


def silenced(source: Source) -> Iterator[str]:
    for line, comment in source.comments.items():
        reason, markers = MARKER.subn("", comment)
        if markers and not re.search(r"\w{3}", reason) and not _stands_alone(source, line - 1):
            yield source.at(line, f"`{comment}` without a reason: say why beside it, or mend the cause")


def _stands_alone(source: Source, line: int) -> bool:
    """Return True if the line is a comment other than a marker."""
    text = source.text.splitlines()[line - 1].strip() if line > 0 else ""
    return text.startswith("#") and not MARKER.search(text)


def caught(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _is_justified(source, node):
            what = f"except {ast.unparse(node.type)}" if node.type else "except"
            yield source.at(node, f"`{what}:` without a reason: name the errors, or say in a comment why all of them")


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(map(_is_broad, caught.elts))
    return caught is None or ast.unparse(caught) in {"Exception", "BaseException"}


def _is_justified(source: Source, handler: ast.ExceptHandler) -> bool:
    """A comment above, or between the `except` and its first statement; or the error goes on as it came."""
    last = handler.body[-1]
    goes_on = isinstance(last, ast.Raise) and last.exc is None
    return goes_on or any(map(source.has_reason, range(handler.lineno, handler.body[0].lineno)))


def test_nothing_is_silenced_without_a_reason() -> None:
    holds(problem for source in sources(*EVERYTHING) for problem in silenced(source))


def test_nothing_broad_is_caught_without_a_reason() -> None:
    holds(problem for source in sources(*EVERYTHING) for problem in caught(source))


@pytest.mark.parametrize(
    "comment",
    [
        "# type: ignore",
        "# type: ignore[arg-type]",
        "# noqa",
        "# noqa: E501",
        "# noqa: E501, F401",
        "# pyright: ignore[reportPrivateUsage, reportUnknownMemberType]",
        "# type: ignore[attr-defined]  # noqa: E501",
        "# pragma: no cover",
    ],
)
def test_rejects_a_bare_marker(comment: str) -> None:
    assert list(silenced(example(f"x = f()  {comment}")))
    assert not list(silenced(example(f"x = f()  {comment}  # the stubs are wrong")))
    assert not list(silenced(example(f"# The stubs are wrong.\nx = f()  {comment}")))


def test_accepts_a_marker_in_a_string() -> None:
    assert not list(silenced(example('x = "# type: ignore"')))


@pytest.mark.parametrize("what", ["", " Exception", " BaseException as error", " (ValueError, Exception)"])
def test_rejects_a_broad_except(what: str) -> None:
    handler = f"try:\n    f()\nexcept{what}:{{}}\n    pass\n"
    assert list(caught(example(handler.format(""))))
    assert not list(caught(example(handler.format("  # a metric must not fail the call"))))


def test_accepts_a_named_or_passed_on_except() -> None:
    assert not list(caught(example("try:\n    f()\nexcept Exception:\n    close()\n    raise\n")))
    assert not list(caught(example("try:\n    f()\nexcept (ValueError, KeyError):\n    pass\n")))
