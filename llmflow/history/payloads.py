"""Payloads of a run, read as the client's own converter does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.converter import DataConverter, SerializationContext, WorkflowSerializationContext

from llmflow.types.contracts import Header

T = TypeVar("T")


@dataclass(frozen=True)
class Payloads:
    """Reads what belongs to one run."""

    client: Client
    workflow_id: str

    async def read(
        self, payloads: Iterable[Payload], types: list[Any] | None = None, of: SerializationContext | None = None
    ) -> list[Any]:
        """Values of payloads. Any: of the types.

        Args:
            payloads: As the history has them.
            types: Of each; JSON data without.
            of: The activity that they belong to, if not to the run itself.
        """
        return await self._converter(of).decode(list(payloads), types)

    async def raw(self, payload: Payload) -> RawValue:
        """A value of whatever type: it is written again as it was, under the new run's key if each has one."""
        [value] = await self.read([payload], [RawValue])
        return value

    async def header(self, header: Header[T], headers: Mapping[str, Payload]) -> T | None:
        """What a run was told; `None` if it was not. Headers need not be encrypted where payloads are."""
        payload = headers.get(header.name)
        if payload is None or payload.metadata["encoding"] == b"json/plain":
            return header.read(headers, self._converter().payload_converter)
        [value] = await self.read([payload], [header.value])
        return value

    async def failure(self, failure: Failure) -> BaseException:
        """The error in a failure."""
        return await self._converter().decode_failure(failure)

    def _converter(self, of: SerializationContext | None = None) -> DataConverter:
        context = of or WorkflowSerializationContext(self.client.namespace, self.workflow_id)
        return self.client.data_converter.with_context(context)
