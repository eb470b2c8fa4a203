"""Configurations made by the plugin."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client, ClientConfig
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    EncodingPayloadConverter,
    ExternalStorage,
    FailureConverter,
    JSONPlainPayloadConverter,
    PayloadCodec,
    PayloadConverter,
    SerializationContext,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
    WithSerializationContext,
)
from temporalio.worker import WorkerConfig, WorkflowInstance
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from llmflow.converter.failures import LLMFlowFailureConverter
from llmflow.converter.payloads import LLMFlowPayloadConverter
from llmflow.errors import ConfigInvalid
from llmflow.plugin import LLMFlowPlugin
from llmflow.plugin.converters import data_converter
from llmflow.sdk.contexts import ContextFreeInstance, needs_no_context
from tests.integration.hello.app import app


class Foreign(PayloadConverter):
    """A converter that says nothing of encodings."""

    def to_payloads(self, values: Sequence[object]) -> list[Payload]:
        return [Payload() for _ in values]

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[object]:
        return [None for _ in payloads]


class ForeignFailures(FailureConverter):
    """A converter that knows nothing of Temporal's own errors."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        failure.message = str(exception)

    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        return RuntimeError(failure.message)


class ContextCodec(PayloadCodec, WithSerializationContext):
    """A codec that wants to know whose payload it encodes."""

    def with_context(self, context: SerializationContext) -> Self:
        return self

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


class ContextText(EncodingPayloadConverter, WithSerializationContext):
    """A converter that wants the same."""

    @property
    def encoding(self) -> str:
        return "text/of-somebody"

    def with_context(self, context: SerializationContext) -> Self:
        return self

    def to_payload(self, value: object) -> Payload | None:
        return None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> object:
        return None


class ContextConverter(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(ContextText(), JSONPlainPayloadConverter())


def client_config(converter: DataConverter) -> ClientConfig:
    """Return a client's options as the plugin changes them."""
    config: Any = {"data_converter": converter}
    return LLMFlowPlugin().configure_client(config)


async def worker_config(codec: PayloadCodec | None = None, **options: Any) -> WorkerConfig:
    """Return a worker's options as the plugin configures them, for a client that is not connected yet."""
    plugin = LLMFlowPlugin(app)
    converter = dataclasses.replace(DataConverter.default, payload_codec=codec)
    client = await Client.connect("localhost:7233", lazy=True, plugins=[plugin], data_converter=converter)
    config: Any = {"client": client, "workflow_runner": SandboxedWorkflowRunner(), **options}
    return plugin.configure_worker(config)


def test_the_users_codec_stays() -> None:
    given = dataclasses.replace(DataConverter.default, payload_codec=object())  # type: ignore[arg-type]  any codec
    config = client_config(given)
    converter = config["data_converter"]
    assert converter.payload_codec is given.payload_codec
    assert converter.payload_converter_class is LLMFlowPayloadConverter
    assert converter.failure_converter_class is LLMFlowFailureConverter


@pytest.mark.parametrize(
    "given",
    [
        dataclasses.replace(DataConverter.default, payload_converter_class=Foreign),
        dataclasses.replace(DataConverter.default, failure_converter_class=ForeignFailures),
    ],
)
def test_a_converter_that_ours_cannot_wrap_is_refused(given: DataConverter) -> None:
    with pytest.raises(ConfigInvalid, match="Foreign"):
        client_config(given)


async def test_the_sandbox_stays_with_our_modules_passed_through() -> None:
    runner = (await worker_config())["workflow_runner"]
    assert isinstance(runner, SandboxedWorkflowRunner)
    assert {"llmflow", "minijinja", "tests.integration.hello.schemas"} <= runner.restrictions.passthrough_modules


async def test_payloads_know_whose_they_are_only_where_somebody_asks() -> None:
    assert type((await worker_config())["workflow_runner"]) is not SandboxedWorkflowRunner
    assert type((await worker_config(ContextCodec()))["workflow_runner"]) is SandboxedWorkflowRunner
    converter = dataclasses.replace(DataConverter.default, payload_converter_class=ContextConverter)
    client = await Client.connect("localhost:7233", lazy=True, plugins=[LLMFlowPlugin(app)], data_converter=converter)
    config = LLMFlowPlugin(app).configure_worker({"client": client, "workflow_runner": SandboxedWorkflowRunner()})
    assert type(config["workflow_runner"]) is SandboxedWorkflowRunner


def test_whatever_the_sdk_asks_an_instance_reaches_the_one_inside() -> None:
    asked = {name for name in vars(WorkflowInstance) if not name.startswith("_")}
    assert asked == {name for name in vars(ContextFreeInstance) if not name.startswith("_")}


async def test_without_activities_none_are_added() -> None:
    assert "activities" not in await worker_config()


def test_an_own_storage_stays_and_ours_costs_no_contexts(tmp_path: Path) -> None:
    ours = data_converter(None, None, str(tmp_path), "default")
    assert needs_no_context(ours)
    assert ours._with_store_context(StorageDriverStoreContext()) is ours  # pyright: ignore[reportPrivateUsage]  the SDK's

    foreign = ExternalStorage([ForeignDriver()])
    own = data_converter(DataConverter(external_storage=foreign), None, str(tmp_path), "default")
    assert own.external_storage is foreign
    assert not needs_no_context(own)
    chosen = ExternalStorage(ours.external_storage.drivers, lambda _, __: None) if ours.external_storage else None
    assert not needs_no_context(dataclasses.replace(own, external_storage=chosen)), "the choice may depend on it"


class ForeignDriver(StorageDriver):
    """A storage with keys of its own."""

    def name(self) -> str:
        return "foreign"

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        return []

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        return []
