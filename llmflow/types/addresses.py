"""Addresses of the parts of a run: `investigate#2[3]/search#1`.

An address has the names of the steps from the outermost inwards, then that of a call: an activity or a child workflow.
`#n` is the number of a name in its place: calls always have one, steps, machines and questions from the second on.
`[3]` is one branch of a fan-out, and `[500-999]` a batch of its items.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

_NUMBER = re.compile(r"#([1-9][0-9]*)\Z")
_BRANCH = re.compile(r"\[[0-9]+\]\Z")
_BATCH = re.compile(r"(?P<path>.+)\[(?P<first>[0-9]+)-(?P<last>[0-9]+)\]", re.DOTALL)


def is_name(name: str) -> bool:
    """True if a part may have that name: it is not empty, and has no `/` and no `#`."""
    return bool(name) and "/" not in name and "#" not in name


def joined(names: Iterable[str]) -> str:
    """The address of names from the outermost inwards."""
    return "/".join(names)


def names_of(address: str) -> tuple[str, ...]:
    """The names in an address; none in an empty one."""
    return tuple(address.split("/")) if address else ()


def prefixes(names: Sequence[str]) -> Iterator[str]:
    """The address of each part that these names lead through, the outermost first, themselves last."""
    return (joined(names[:depth]) for depth in range(1, len(names) + 1))


def around(address: str) -> Iterator[str]:
    """The addresses of the steps that a part is in, the outermost first: `a` and `a/b` of `a/b/search#1`."""
    return prefixes(names_of(address)[:-1])


def is_within(address: str, part: str) -> bool:
    """True if the address is that of the part, of one of its branches or numbers, or of something in these."""
    return address == part or address.startswith((f"{part}/", f"{part}[", f"{part}#"))


def numbered(name: str, number: int) -> str:
    """A name with its number, as calls have it: `search#1`."""
    return f"{name}#{number}"


def repeated(name: str, number: int) -> str:
    """A name with its number, as steps have it: `write`, `write#2`, `write#3`."""
    return name if number == 1 else numbered(name, number)


def number_of(name: str) -> int | None:
    """The number of a name, of `search#1`; `None` if it has none."""
    found = _NUMBER.search(name)
    return int(found[1]) if found else None


def base_of(name: str) -> str:
    """A name without its number: `publish` of `publish#2`."""
    return _NUMBER.sub("", name)


def branched(name: str, index: int) -> str:
    """One branch of a fan-out: `investigate[3]`."""
    return f"{name}[{index}]"


def unbranched(address: str) -> str:
    """The step of which this is one branch: `investigate` of `investigate[3]`."""
    return _BRANCH.sub("", address)


def batched(path: Sequence[str], items: range) -> str:
    """A batch of a fan-out by its items: `investigate[500-999]`."""
    return f"{joined(path)}[{items.start}-{items.stop - 1}]"


def batch_of(address: str) -> tuple[str, range] | None:
    """The path of a batch and the numbers of its items; `None` if the address is no batch's."""
    found = _BATCH.fullmatch(address)
    return (found["path"], range(int(found["first"]), int(found["last"]) + 1)) if found else None
