"""Parses Google-style docstrings."""

import inspect
import re
from typing import NamedTuple

_SECTION = re.compile(r"^(Args|Arguments|Attributes|Examples?|Notes?|Raises|Returns|Yields):\s*$", re.MULTILINE)
_PARAMETER = re.compile(r"^ {1,4}\*{0,2}(?P<name>\w+)(?: \(.*?\))?:(?P<text>.*)$")


class Docstring(NamedTuple):
    """A parsed docstring."""

    description: str
    """Text above the first section; empty if there is none."""
    parameters: dict[str, str]
    """Descriptions by name, from the `Args:` section."""


def parse(function: object) -> Docstring:
    """Parse the docstring of a function. Sections other than `Args:` are for readers of the code and ignored."""
    description, *sections = _SECTION.split(inspect.getdoc(function) or "")
    bodies = dict(zip(sections[::2], sections[1::2], strict=True))
    return Docstring(description.strip(), _parameters(bodies.get("Args") or bodies.get("Arguments") or ""))


def _parameters(body: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in body.splitlines():
        match = _PARAMETER.match(line)
        if match:
            name = match["name"]
            found[name] = match["text"].strip()
        elif name:
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found
