"""Payloads of a run, decoded by the client's own converter."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.converter import (
    ActivitySerializationContext,
    CompositePayloadConverter,
    DataConverter,
    SerializationContext,
    WorkflowSerializationContext,
)

from llmflow.history.recorded import RecordedCall
from llmflow.types.contracts import Header

T = TypeVar("T")


@dataclass(frozen=True)
class Payloads:
    """Decoder of the payloads of one run."""

    client: Client
    workflow_id: str

    async def read(
        self, payloads: Iterable[Payload], types: list[Any] | None = None, of: SerializationContext | None = None
    ) -> list[Any]:
        """Decode payloads. Any: of the types.

        Args:
            payloads: Payloads of the history.
            types: Type of each value; JSON data if left out.
            of: Activity that they belong to, if not to the run itself.
        """
        return await self._converter(of).decode(list(payloads), types)

    def of_call(self, workflow_type: str, call: RecordedCall) -> SerializationContext:
        """Return the context of a recorded activity: a codec may have a key for each."""
        return self._of_activity(workflow_type, call.type, call.id, call.task_queue)

    def of_local(self, workflow_type: str, activity_type: str) -> SerializationContext:
        """Return the context of local activities of a type."""
        return self._of_activity(workflow_type, activity_type, None, None)

    def _of_activity(
        self, workflow_type: str, activity_type: str, id: str | None, task_queue: str | None
    ) -> SerializationContext:
        return ActivitySerializationContext(
            namespace=self.client.namespace,
            workflow_id=self.workflow_id,
            workflow_type=workflow_type,
            activity_id=id,
            activity_type=activity_type,
            activity_task_queue=task_queue,
            is_local=id is None,
        )

    async def raw(self, payload: Payload) -> RawValue:
        """Decode a value to a payload of any type, which is encoded again under the new run's key if each run has one.

        Raises:
            KeyError: as for values with a type: no codec has decoded it.
        """
        [value] = await self.read([payload], [RawValue])
        converter = self.client.data_converter.payload_converter_class()
        encoding = value.payload.metadata["encoding"]
        if isinstance(converter, CompositePayloadConverter) and encoding not in converter.converters:
            raise KeyError(f"Unknown payload encoding {encoding.decode()}")
        return value

    async def header(self, header: Header[T], headers: Mapping[str, Payload]) -> T | None:
        """Decode a header of a run; `None` if it has none. Headers need not be encrypted where payloads are."""
        payload = headers.get(header.name)
        if payload is None or payload.metadata["encoding"] == b"json/plain":
            return header.read(headers, self._converter().payload_converter)
        [value] = await self.read([payload], [header.value])
        return value

    async def failure(self, failure: Failure) -> BaseException:
        """Decode the error in a failure."""
        return await self._converter().decode_failure(failure)

    def _converter(self, of: SerializationContext | None = None) -> DataConverter:
        context = of or WorkflowSerializationContext(self.client.namespace, self.workflow_id)
        return self.client.data_converter.with_context(context)
