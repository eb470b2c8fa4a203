"""Addresses of the parts of a run: `investigate#2[3]/search#1`.

An address lists the names of the steps from the outermost inwards, then that of a call (an activity or child workflow).
`#n` numbers equal names in one place: calls always have a number; steps, machines and questions from the second on.
`[3]` is one branch of a fan-out, and `[500-999]` a batch of its items.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

_NUMBER = re.compile(r"#([1-9][0-9]*)\Z")
_BRANCH = re.compile(r"\[[0-9]+\]\Z")
_BATCH = re.compile(r"(?P<path>.+)\[(?P<first>[0-9]+)-(?P<last>[0-9]+)\]", re.DOTALL)


def is_name(name: str) -> bool:
    """Return True for a valid name: not empty, without `/` and `#`."""
    return bool(name) and "/" not in name and "#" not in name


def joined(names: Iterable[str]) -> str:
    """Join names into an address, from the outermost inwards."""
    return "/".join(names)


def names_of(address: str) -> tuple[str, ...]:
    """Split an address into names; an empty one has none."""
    return tuple(address.split("/")) if address else ()


def prefixes(names: Sequence[str]) -> Iterator[str]:
    """Return the address of each prefix of the names, the outermost first, the full address last."""
    return (joined(names[:depth]) for depth in range(1, len(names) + 1))


def around(address: str) -> Iterator[str]:
    """Return the addresses of the enclosing steps, the outermost first: `a` and `a/b` of `a/b/search#1`."""
    return prefixes(names_of(address)[:-1])


def is_within(address: str, part: str) -> bool:
    """Return True for the address of a part, of its branches and repetitions, and of anything inside them."""
    return address == part or address.startswith((f"{part}/", f"{part}[", f"{part}#"))


def numbered(name: str, number: int) -> str:
    """Add a number to a call's name: `search#1`."""
    return f"{name}#{number}"


def repeated(name: str, number: int) -> str:
    """Add a number to a step's name, from the second on: `write`, `write#2`, `write#3`."""
    return name if number == 1 else numbered(name, number)


def number_of(name: str) -> int | None:
    """Return the number in a name: 1 of `search#1`; `None` if it has none."""
    found = _NUMBER.search(name)
    return int(found[1]) if found else None


def base_of(name: str) -> str:
    """Remove the number of a name: `publish` of `publish#2`."""
    return _NUMBER.sub("", name)


def branched(name: str, index: int) -> str:
    """Return the address of a fan-out branch: `investigate[3]`."""
    return f"{name}[{index}]"


def unbranched(address: str) -> str:
    """Return the fan-out step of a branch: `investigate` of `investigate[3]`."""
    return _BRANCH.sub("", address)


def batched(path: Sequence[str], items: range) -> str:
    """Return the address of a fan-out batch: `investigate[500-999]`."""
    return f"{joined(path)}[{items.start}-{items.stop - 1}]"


def batch_of(address: str) -> tuple[str, range] | None:
    """Split the address of a batch into path and item indexes; `None` for any other address."""
    found = _BATCH.fullmatch(address)
    return (found["path"], range(int(found["first"]), int(found["last"]) + 1)) if found else None
