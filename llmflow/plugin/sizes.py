"""Size of values as Temporal will see them: after the payload codec and external storage."""

from collections.abc import Collection, Sequence
from typing import Any

from temporalio import activity
from temporalio.converter import DataConverter
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from llmflow.types.payloads import MAX_PAYLOAD_BYTES, REFERENCE_BYTES, require_room


async def require_rooms(converter: DataConverter, values: Sequence[object]) -> None:
    """Refuse values that are too large for Temporal.

    Raises:
        PayloadTooLarge: one of them has too many bytes, compressed or encrypted by the codec.
    """
    for value, payload in zip(values, converter.payload_converter.to_payloads(values), strict=True):
        if payload.ByteSize() > MAX_PAYLOAD_BYTES:
            [sent] = await converter.payload_codec.encode([payload]) if converter.payload_codec else [payload]
            stored_from = storage_threshold(converter)
            is_stored = stored_from is not None and sent.ByteSize() >= stored_from
            require_room(value, REFERENCE_BYTES if is_stored else sent.ByteSize())


def storage_threshold(converter: DataConverter) -> int | None:
    """Return the size in bytes from which external storage takes a value; `None` without storage."""
    return converter.external_storage.payload_size_threshold if converter.external_storage else None


class ResultSizes(Interceptor):
    """Fails activities of llmflow whose result is too large. Temporal's worker would hang with some of them."""

    def __init__(self, activities: Collection[str]) -> None:
        """Configure; `activities` are the names of llmflow's own."""
        self._activities = activities

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See base class."""
        return _Measuring(next, self._activities)


class _Measuring(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, activities: Collection[str]) -> None:
        super().__init__(next)
        self._activities = activities

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # Any: the activity's own result
        result: object = await super().execute_activity(input)
        if activity.info().activity_type in self._activities:
            await require_rooms(activity.client().data_converter, [result])
        return result
