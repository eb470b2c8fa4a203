"""YAML whose every value knows its line and column, so that every error names them too."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard, cast

from pydantic import JsonValue
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, StreamMark, YAMLError
from ruamel.yaml.nodes import MappingNode, SequenceNode
from ruamel.yaml.nodes import Node as Parsed

from llmflow.errors import ConfigInvalid, unknown


@dataclass(frozen=True, order=True)
class Problem:
    """A problem of a file, with its position; both numbers from 1."""

    line: int
    column: int
    message: str


@dataclass(frozen=True)
class Node:
    """A value of a YAML file, with its position."""

    file: str
    line: int
    column: int
    value: Any  # Any: whatever the author wrote
    parsed: Parsed | None = field(default=None, repr=False, compare=False)
    """Node of the parser; `None` in a file without a value."""

    def error(self, message: str) -> ConfigInvalid:
        """Return the error to raise about this value; it begins with `file:line:column`."""
        return ConfigInvalid(f"{self.file}:{self.line}:{self.column}: {message}")

    def mapping(self, what: str, fields: Collection[str] | None = None) -> dict[str, "Node"]:
        """Return the values by their keys.

        Args:
            what: name of the mapping, for the message.
            fields: the only keys allowed; `None` for any.

        Raises:
            ConfigInvalid: it is not a mapping, or has another key.
        """
        if not _is_mapping(self.value):
            raise self.error(f"{what} must be a mapping, not {_kind(self.value)}")
        others = (name for name, _ in _pairs(self.parsed) if name.tag != "tag:yaml.org,2002:str")
        parsed = {cast(str, name.value): (name, item) for name, item in _pairs(self.parsed)}
        children: dict[str, Node] = {}
        for key, value in self.value.items():
            if not isinstance(key, str):
                raise self._at(next(others), key).error(f"{what}: the key {key!r} must be text: put it in quotes")
            name, item = parsed[key]
            if fields is not None and key not in fields:
                raise self._at(name, key).error(f"{what} has no field {unknown(key, fields)}")
            children[key] = self._at(item, value)
        return children

    def sequence(self) -> tuple["Node", ...]:
        """Return the values of a list; of a single value, that value."""
        if not _is_list(self.value):
            return (self,)
        return tuple(self._at(item, value) for item, value in zip(_items(self.parsed), self.value, strict=True))

    def text(self, what: str) -> str:
        """Return the value, if it is text.

        Raises:
            ConfigInvalid: it is something else, or empty.
        """
        if not isinstance(self.value, str) or not self.value:
            raise self.error(f"{what} must be text, not {_kind(self.value)}")
        return self.value

    def plain(self) -> JsonValue:
        """Return the value as JSON data.

        Raises:
            ConfigInvalid: a key in it is not text.
        """
        if _is_mapping(self.value):
            return {key: node.plain() for key, node in self.mapping("a mapping").items()}
        if _is_list(self.value):
            return [node.plain() for node in self.sequence()]
        return cast(JsonValue, self.value)

    def place(self, path: Sequence[int | str]) -> tuple[int, int]:
        """Return line and column of the innermost key or item on the path that is in the file."""
        place, node = (self.line, self.column), self.parsed
        for key in path:
            pairs = [(name, item) for name, item in _pairs(node) if name.value == str(key)]
            items = _items(node)[key : key + 1] if isinstance(key, int) else []
            if not (found := [*pairs, *((item, item) for item in items)]):
                break
            place, node = _place(found[-1][0]), found[-1][1]
        return place

    def _at(self, parsed: Parsed, value: object) -> "Node":
        return Node(self.file, *_place(parsed), value, parsed)


class _Exact(SafeConstructor):
    """Leaves numbers with a point as they are written."""


_Exact.add_constructor("tag:yaml.org,2002:float", SafeConstructor.construct_scalar)


def parse_yaml(text: str, file: str = "", *, exact: bool = False) -> Node | Problem:
    """Parse the value in a text, or return the problem. Duplicate keys are a problem.

    Args:
        text: One document.
        file: Appears in error messages only.
        exact: Numbers with a point stay text, because a float would round them.
    """
    yaml: Any = YAML(typ="safe", pure=True)  # Any: the parser's types are partial
    yaml.Constructor = _Exact if exact else SafeConstructor
    try:
        parsed = yaml.compose(text)
        value = None if parsed is None else yaml.constructor.construct_document(parsed)
    except MarkedYAMLError as error:
        mark = cast(StreamMark | None, error.problem_mark or error.context_mark)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Problem(line, column, cast(str, error.problem or error.context))
    except (YAMLError, ValueError) as error:  # characters that YAML forbids, dates that do not exist: no position
        return Problem(1, 1, f"this is not YAML: {error}")
    except RecursionError:
        return Problem(1, 1, "brackets, or lists and mappings, are nested too deeply")
    return Node(file, 1, 1, value, parsed)


def read_yaml(path: Path, *, exact: bool = False) -> Node:
    """Parse the whole file.

    Args:
        path: Path of a file in UTF-8.
        exact: As for `parse_yaml`.

    Raises:
        ConfigInvalid: it cannot be read, or is not YAML.
    """
    try:
        found = parse_yaml(path.read_text("utf-8"), str(path), exact=exact)
    except OSError as error:
        raise ConfigInvalid(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigInvalid(f"{path}: is not UTF-8 text: {error.reason} at byte {error.start}") from None
    if isinstance(found, Problem):
        raise ConfigInvalid(f"{path}:{found.line}:{found.column}: {found.message}")
    return found


def _pairs(node: Parsed | None) -> Iterator[tuple[Parsed, Parsed]]:
    return iter(cast(list[tuple[Parsed, Parsed]], node.value) if isinstance(node, MappingNode) else ())


def _items(node: Parsed | None) -> list[Parsed]:
    return cast(list[Parsed], node.value) if isinstance(node, SequenceNode) else []


def _place(node: Parsed) -> tuple[int, int]:
    mark = cast(StreamMark, node.start_mark)
    return mark.line + 1, mark.column + 1


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:  # Any: keys and values are the author's
    return type(value) is dict  # `!!omap` and `!!set` are neither


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:  # Any: as above
    return isinstance(value, list)


def _kind(value: object) -> str:
    if value is None or value == "":
        return "empty"
    return "a mapping" if _is_mapping(value) else "a list" if _is_list(value) else repr(value)
