"""Differences between the attributes of two workflow objects."""

import asyncio
from collections.abc import Mapping, Sequence, Set
from types import CellType, FunctionType, MethodType
from typing import Any, cast


def differences(one: object, other: object) -> list[str]:
    """Return the names of the attributes that differ.

    Values are the same if they are equal or have the same parts. So an object of a class without `__eq__`, or an
    `asyncio.Lock` that nobody holds, is the same as a new one in the same state, although they are not equal.
    """
    ones, others, missing = _attributes(one), _attributes(other), object()
    # Temporal's tracing keeps its own state on the object, such as the source of a run's span ids.
    names = [name for name in sorted({*ones, *others}) if not name.startswith("__temporal")]
    return [name for name in names if not _same(ones.get(name, missing), others.get(name, missing), (one, other))]


def _attributes(value: object) -> Mapping[str, object]:
    state = object.__getstate__(value)
    if isinstance(state, tuple):  # of a class with `__slots__`
        named, slots = cast(tuple[dict[str, object] | None, dict[str, object]], state)
        return {**(named or {}), **slots}
    return cast(dict[str, object] | None, state) or {}


def _same(one: object, other: object, owners: tuple[object, object]) -> bool:
    """Return True if two values of two objects are the same, where the objects themselves count as the same."""
    open_pairs = [(one, other)]
    # Pairs that are the same unless a later pair differs: each is compared once, and parts may refer back to their
    # owners. The values are kept, so that no later value gets the id of an earlier one.
    seen = {_identities(*owners): owners}
    while open_pairs:
        left, right = pair = open_pairs.pop()
        if left is right or (ids := _identities(left, right)) in seen:
            continue
        # The equality of these would compare a shared part as often as there are ways to it.
        if type(left) not in (list, tuple, dict) and _equal(left, right):
            continue
        if type(left) is not type(right) or isinstance(left, str | bytes | int | float | type):
            return False
        seen[ids] = pair
        parts, others = _parts(left), _parts(right)
        if parts is None or others is None or parts.keys() != others.keys():
            return False
        open_pairs += [(part, others[name]) for name, part in parts.items()]
    return True


def _identities(left: object, right: object) -> tuple[int, int]:
    """Return the addresses of two objects: a run finds a pair again by them, and never sees or sorts them."""
    return object.__hash__(left), object.__hash__(right)


def _equal(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except Exception:  # of any class: arrays, for example, have no single truth value
        return False


def _parts(value: object) -> Mapping[Any, object] | None:  # Any: keys of the user's own mappings
    """Return the parts of a value by name or number; `None` if they are unknown."""
    match value:
        case Mapping():
            return cast(Mapping[Any, object], value)  # Any: see above
        case list() | tuple():
            return dict(enumerate(cast(Sequence[object], value)))
        case Set():  # of unequal values, in an order that differs in another process
            return None
        case asyncio.Lock() | asyncio.Event() | asyncio.Condition() | asyncio.Semaphore() | asyncio.Queue():
            return _state(cast(object, value))
        case MethodType():
            return {"function": value.__func__, "self": value.__self__}
        case FunctionType():
            return dict(enumerate((value.__code__, value.__defaults__, value.__kwdefaults__, value.__closure__)))
        case CellType():
            return {"contents": value.cell_contents}
        case _:
            try:
                reduced = value.__reduce_ex__(4)  # the protocol of `pickle` and `copy`
            except Exception:  # of any class: a generator, for example, cannot be reduced
                return None
            return None if isinstance(reduced, str) else dict(enumerate(map(_listed, reduced)))


def _state(value: object) -> Mapping[str, object]:
    """Return the state of an asyncio primitive, without the loop and the empty queue that its first wait leaves."""
    found = _attributes(value)
    return {name: part for name, part in found.items() if name != "_loop" and (name != "_waiters" or part)}


def _listed(part: object) -> object:
    """Read an iterator into a list; return any other value unchanged."""
    return list(cast(Any, part)) if hasattr(part, "__next__") else part  # Any: of items of any type
