"""Differences between the attributes of two workflow objects."""

from collections.abc import Mapping, Sequence
from types import CellType, FunctionType, MethodType
from typing import Any, cast


def differences(one: object, other: object) -> list[str]:
    """Return the names of the attributes that differ.

    Values are the same if they are equal or have the same parts. So an `asyncio.Lock`, or an object of a class without
    `__eq__`, is the same as a new one in the same state, although they are not equal.
    """
    ones, others, alike, missing = _attributes(one), _attributes(other), _Alike(one, other), object()
    # Temporal's tracing keeps its own state on the object, such as the source of a run's span ids.
    names = [name for name in sorted({*ones, *others}) if not name.startswith("__temporal")]
    return [name for name in names if not alike.same(ones.get(name, missing), others.get(name, missing))]


def _attributes(value: object) -> Mapping[str, object]:
    state = object.__getstate__(value)
    if isinstance(state, tuple):  # of a class with `__slots__`
        named, slots = cast(tuple[dict[str, object] | None, dict[str, object]], state)
        return {**(named or {}), **slots}
    return cast(dict[str, object] | None, state) or {}


class _Alike:
    """Compares values of two objects, treating the objects themselves as the same."""

    def __init__(self, one: object, other: object) -> None:
        self._open = [(one, other)]
        """Pairs in comparison, because parts may refer back to their owners."""

    def same(self, one: object, other: object) -> bool:
        """Return True if two values are the same."""
        if one is other or _equal(one, other) or any(one is left and other is right for left, right in self._open):
            return True
        if type(one) is not type(other) or isinstance(one, str | bytes | int | float | type):
            return False
        self._open.append((one, other))
        try:
            return self._same_parts(one, other)
        finally:
            self._open.pop()

    def _same_parts(self, one: object, other: object) -> bool:
        match one:
            case Mapping():
                mapping, same = cast(Mapping[Any, Any], one), cast(Mapping[Any, Any], other)  # Any: the user's own
                return mapping.keys() == same.keys() and all(self.same(mapping[key], same[key]) for key in mapping)
            case list() | tuple():
                return self._all_same(cast(Sequence[object], one), cast(Sequence[object], other))
            case _:
                return self._all_same(_parts(one), _parts(other))

    def _all_same(self, ones: Sequence[object] | None, others: Sequence[object] | None) -> bool:
        if ones is None or others is None:
            return False
        return len(ones) == len(others) and all(map(self.same, ones, others))


def _equal(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except Exception:  # of any class: arrays, for example, have no single truth value
        return False


def _parts(value: object) -> Sequence[object] | None:
    """Return the parts of a value; `None` if they are unknown."""
    match value:
        case MethodType():
            return (value.__func__, value.__self__)
        case FunctionType():
            return (value.__code__, value.__defaults__, value.__kwdefaults__, value.__closure__)
        case CellType():
            return (value.cell_contents,)
        case _:
            try:
                reduced = value.__reduce_ex__(4)  # the protocol of `pickle` and `copy`
            except Exception:  # of any class: a generator, for example, cannot be reduced
                return None
            return None if isinstance(reduced, str) else [_listed(part) for part in reduced]


def _listed(part: object) -> object:
    """Read an iterator into a list; return any other value unchanged."""
    return list(cast(Any, part)) if hasattr(part, "__next__") else part  # Any: of items of any type
