"""Batches: parts of a large fan-out, each worked on by a child of the type `llmflow.batch`."""

from collections.abc import Iterable
from typing import Literal
from zlib import compress, decompress

from pydantic import JsonValue
from pydantic_core import from_json

from llmflow.errors import ErrorDetail
from llmflow.types.addresses import batched
from llmflow.types.base import CompactWire
from llmflow.types.carried import Carried
from llmflow.types.keys import SharedKey

OnError = Literal["raise", "collect"]


class Batch(CompactWire):
    """The input of such a child."""

    function: str
    """A method of the workflow by its name, or a function as `module:name`."""
    items: bytes
    """Packed; each as the function's parameter says."""
    count: int
    """Items."""
    first: int
    """Number of the first item."""
    path: tuple[str, ...]
    """Of the fan-out's step."""
    limit: int
    """Items at once."""
    on_error: OnError
    input: tuple[bytes, ...] = ()
    """Of the run that fans out, as payloads: methods are called on a workflow object that is made from it."""
    key: SharedKey | None = None
    """Of the saga that the fan-out belongs to."""

    @property
    def span(self) -> str:
        """Its items by name and number, such as `investigate[500-999]`: the end of the child's workflow id."""
        return batched(self.path, range(self.first, self.first + self.count))


def packed(values: Iterable[bytes]) -> bytes:
    """JSON values as one compressed list: all of them pass through the history of the parent."""
    return compress(b"[" + b",".join(values) + b"]")


def unpacked(data: bytes) -> list[JsonValue]:
    """The values again."""
    values: list[JsonValue] = from_json(decompress(data))
    return values


class Failure(CompactWire):
    """An error as data."""

    type: str
    """`llmflow.<ClassName>`, or the type of an application failure."""
    message: str
    detail: ErrorDetail = ErrorDetail()


class BatchResult(CompactWire):
    """What such a child has done: its first `done` items, which are fewer than it was given if it was full."""

    done: int
    """Items, from the first one."""
    values: bytes
    """Of the items that succeeded, in their order; packed, each as the function's annotation says."""
    failures: dict[int, Failure] = {}
    """Of the others, by number."""
    learned: Carried = Carried()
    """Its totals, and its pins: the parent uses the same from then on."""
