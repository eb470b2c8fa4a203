"""Sandbox that skips per-payload serialization contexts (10% of worker CPU)."""

import sys
from dataclasses import dataclass, field
from typing import Any

from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    ExternalStorage,
    StorageDriverStoreContext,
    WithSerializationContext,
)
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import Info


def needs_no_context(converter: DataConverter) -> bool:
    """True if nothing of this converter needs to know which activity or child a payload belongs to."""
    payloads = converter.payload_converter_class()  # the attribute is this one in a wrapper of the SDK's own
    parts = payloads.converters.values() if isinstance(payloads, CompositePayloadConverter) else (payloads,)
    asking = (converter.payload_codec, converter.failure_converter, *parts)
    return _is_context_free(converter.external_storage) and not any(
        isinstance(one, WithSerializationContext) for one in asking
    )


def _is_context_free(storage: ExternalStorage | None) -> bool:
    """True if neither a driver nor the choice of one depends on what a value belongs to."""
    if storage is None:
        return True
    return storage.driver_selector is None and all(getattr(one, "is_context_free", False) for one in storage.drivers)


class ContextFreeConverter(DataConverter):
    """Data converter with a storage that needs no context. The SDK copies it for each value otherwise (30 µs)."""

    def _with_store_context(self, store_ctx: StorageDriverStoreContext) -> DataConverter:
        return self


@dataclass(frozen=True)
class ContextFreeSandbox(SandboxedWorkflowRunner):
    """Temporal's sandbox without the serialization context that it looks up three to four times for every payload.

    Codecs and storages can ask which activity or child a payload belongs to. The sandbox finds out by running code
    inside, which costs a tenth of a worker's CPU even if nothing asks.

    A worker that starts imports each module of workflows into the sandbox once, and not once for each workflow in it.
    """

    _imported: set[str] = field(default_factory=set[str], init=False)

    def prepare_workflow(self, defn: Any) -> None:  # Any: a definition of the SDK's, a private class
        """See base class."""
        cls: type = defn.cls
        module = sys.modules[cls.__module__]
        if module.__name__ not in self._imported or getattr(module, cls.__name__, None) is not cls:
            super().prepare_workflow(defn)
            self._imported.add(module.__name__)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """See base class."""
        return ContextFreeInstance(super().create_instance(det))


class ContextFreeInstance(WorkflowInstance):
    """The SDK's own instance, without the two lookups."""

    def __init__(self, inside: WorkflowInstance) -> None:
        self._inside = inside

    def activate(self, act: Any) -> Any:  # Any: messages of the SDK's own bridge, passed through
        """See base class."""
        return self._inside.activate(act)

    def get_info(self) -> Info:
        """See base class."""
        return self._inside.get_info()

    def get_thread_id(self) -> int | None:
        """See base class."""
        return self._inside.get_thread_id()

    def get_serialization_context(self, command_info: object) -> None:
        """See base class."""

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        """See base class."""
        return StorageDriverStoreContext(target=None)
