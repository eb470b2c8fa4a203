"""Batches: parts of a large fan-out, each processed by a child of the type `llmflow.batch`."""

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
    """Input of a batch child."""

    function: str
    """Name of a workflow method, or a function as `module:name`."""
    items: bytes
    """Packed items, each encoded by the type of the function's parameter."""
    labels: bytes | None = None
    """Packed labels of the items."""
    count: int
    """Number of items."""
    first: int
    """Index of the first item."""
    path: tuple[str, ...]
    """Address of the fan-out's step."""
    limit: int
    """Limit of concurrent items."""
    on_error: OnError
    key: SharedKey | None = None
    """Idempotency key of the saga around the fan-out."""

    @property
    def span(self) -> str:
        """Address of the batch, such as `investigate[500-999]`: the suffix of the child's workflow id."""
        return batched(self.path, range(self.first, self.first + self.count))


def packed(values: Iterable[bytes]) -> bytes:
    """Compress JSON values into one list, because all of them are stored in the parent's history."""
    return compress(b"[" + b",".join(values) + b"]")


def unpacked(data: bytes) -> list[JsonValue]:
    """Decompress the values."""
    values: list[JsonValue] = from_json(decompress(data))
    return values


class Failure(CompactWire):
    """An error as data."""

    type: str
    """`llmflow.<ClassName>`, or the type of an application failure."""
    message: str
    detail: ErrorDetail = ErrorDetail()


class BatchResult(CompactWire):
    """Output of a batch child: its first `done` items, fewer than its input if its history or result got too large."""

    done: int
    """Number of finished items, from the first one."""
    values: bytes
    """Packed values of the items that succeeded, in order, each encoded by the function's return type."""
    failures: dict[int, Failure] = {}
    """Failures of the other items, by index."""
    learned: Carried = Carried()
    """Totals of the child, and its pins, which the parent adopts."""
    changed: tuple[str, ...] = ()
    """Attributes of the batch's workflow object that its items changed: the change would be lost with the object."""
