"""A YAML file whose every value knows its line and column, so that every complaint does too."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeGuard, cast

from pydantic import JsonValue
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from llmflow.errors import ConfigInvalid


@dataclass(frozen=True)
class Node:
    """A value of a YAML file, and where it stands."""

    file: str
    line: int
    column: int
    value: Any  # Any: whatever the author wrote

    def error(self, message: str) -> ConfigInvalid:
        """The error to raise about this value; it begins with `file:line:column`."""
        return ConfigInvalid(f"{self.file}:{self.line}:{self.column}: {message}")

    def mapping(self, what: str, fields: Collection[str] | None = None) -> dict[str, "Node"]:
        """The values by their keys.

        Args:
            what: the mapping in words, for the message.
            fields: the only keys that may be there; `None` for any.

        Raises:
            ConfigInvalid: it is no mapping, or has another key.
        """
        if not _is_mapping(self.value):
            raise self.error(f"{what} must be a mapping, not {_kind(self.value)}")
        children: dict[str, Node] = {}
        for key, value in self.value.items():
            place = self._child(key, 0, value)
            if not isinstance(key, str):
                raise place.error(f"{what}: the key {key!r} must be text: put it in quotes")
            if fields is not None and key not in fields:
                raise place.error(f"{what} has no field {unknown(key, fields)}")
            children[key] = self._child(key, 2, value)
        return children

    def sequence(self) -> tuple["Node", ...]:
        """The values of a list; of a single value, that value."""
        if not _is_list(self.value):
            return (self,)
        return tuple(self._child(index, 0, value) for index, value in enumerate(self.value))

    def text(self, what: str) -> str:
        """The value, if it is text.

        Raises:
            ConfigInvalid: it is something else, or empty.
        """
        if not isinstance(self.value, str) or not self.value:
            raise self.error(f"{what} must be text, not {_kind(self.value)}")
        return str(self.value)

    def plain(self) -> JsonValue:
        """The value without the parser's own types."""
        value = self.value
        if _is_mapping(value):
            return {str(key): node.plain() for key, node in self.mapping("a mapping").items()}
        if _is_list(value):
            return [node.plain() for node in self.sequence()]
        for kind in (bool, int, float, str):
            if isinstance(value, kind):
                return kind(value)
        return cast(JsonValue, value)

    def _child(self, key: object, offset: int, value: object) -> "Node":
        places = cast(dict[object, list[int]], self.value.lc.data or {})
        place = places.get(key)  # a key that was merged in (`<<`) has none
        line, column = (place[offset], place[offset + 1]) if place else (self.line - 1, self.column - 1)
        return Node(self.file, line + 1, column + 1, value)


class _Exact(RoundTripConstructor):
    """Leaves numbers with a point as they are written."""


_Exact.add_constructor("tag:yaml.org,2002:float", RoundTripConstructor.construct_scalar)


def read_yaml(path: Path, *, exact: bool = False) -> Node:
    """The whole file.

    Args:
        path: In UTF-8.
        exact: Numbers with a point stay text, because a float would round them.

    Raises:
        ConfigInvalid: it cannot be read, or is not YAML; duplicate keys are an error.
    """
    yaml = YAML()
    yaml.Constructor = _Exact if exact else RoundTripConstructor
    try:
        value = yaml.load(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigInvalid(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigInvalid(f"{path}: is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except MarkedYAMLError as error:
        mark = cast(Any, error.problem_mark or error.context_mark)  # Any: the parser has no types
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ConfigInvalid(f"{place}: {error.problem or error.context}") from None
    except YAMLError as error:
        raise ConfigInvalid(f"{path}: {error}") from None
    return Node(str(path), 1, 1, value)


def unknown(name: str, known: Collection[str]) -> str:
    """`'modle'; did you mean 'model'? There is: extra, model`."""
    near = get_close_matches(name, known, n=1)
    return (
        f"{name!r}{f'; did you mean {near[0]!r}?' if near else '.'} There is: {', '.join(sorted(known)) or 'nothing'}"
    )


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:  # Any: keys and values are the author's
    return isinstance(value, CommentedMap)


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:  # Any: as above
    return isinstance(value, CommentedSeq)


def _kind(value: object) -> str:
    if value is None or value == "":
        return "empty"
    return "a mapping" if _is_mapping(value) else "a list" if _is_list(value) else repr(value)
