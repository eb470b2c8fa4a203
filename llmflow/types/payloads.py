"""Size of one value in Temporal, which terminates or blocks a run for a value that is too large."""

from llmflow.errors import ErrorDetail, PayloadTooLarge

MAX_PAYLOAD_BYTES = 1_500_000
"""Bytes of one value. Temporal's limit is 2 MB; the rest is for an encrypting codec, and for the event around it."""
REFERENCE_BYTES = 400
"""Bytes of a reference to a value in external storage."""


def require_room(value: object, size: int) -> None:
    """Refuse a value of `size` bytes that Temporal does not take.

    Raises:
        PayloadTooLarge: it has more than `MAX_PAYLOAD_BYTES`.
    """
    if size > MAX_PAYLOAD_BYTES:
        raise PayloadTooLarge(
            f"a {type(value).__name__} of {size:,} bytes is too large for Temporal (at most {MAX_PAYLOAD_BYTES:,}): "
            "pass a reference (a path, a URL, an id) instead of the content, or split it",
            ErrorDetail(size=size),
        )
