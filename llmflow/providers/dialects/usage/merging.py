"""Usage of a stream, merged over its chunks: a last chunk may lack what an earlier one had."""

from typing import cast


def merged(before: object, later: object) -> object:
    """Merge the usage of two chunks: objects field by field; of two counts the larger, since they are sums so far."""
    if isinstance(before, dict):
        one = cast(dict[str, object], before)
        if not isinstance(later, dict):
            return one
        other = cast(dict[str, object], later)
        return {**one, **{name: merged(one.get(name), value) for name, value in other.items()}}
    if later is None:
        return before
    one, other = _count(before), _count(later)
    return later if one is None or other is None else max(one, other)


def _count(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
