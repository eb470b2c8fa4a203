"""Codecs that ask what a payload belongs to (for a key per activity, say) are told. Otherwise nobody is asked."""

import dataclasses
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
)
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox._runner import _Instance  # pyright: ignore[reportPrivateUsage]  what is measured

from llmflow.config import Settings
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import ScriptedProvider
from llmflow.worker import LLMFlowPlugin
from tests.integration.hello.app import app
from tests.integration.hello.workflows import Typed


@dataclass(frozen=True)
class Witness(PayloadCodec, WithSerializationContext):
    """Changes nothing, and notes for which activity it encodes what."""

    seen: list[tuple[str, bytes]]
    activity: str = ""

    def with_context(self, context: SerializationContext) -> Self:
        activity = context.activity_type if isinstance(context, ActivitySerializationContext) else ""
        return dataclasses.replace(self, activity=activity)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self.seen.extend((self.activity, payload.data) for payload in payloads)
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


async def test_the_input_of_a_call_is_encoded_as_that_of_its_activity(temporal: str, tmp_path: Path) -> None:
    model = ScriptedProvider(['{"text": "hello ana", "warmth": 7}'])
    plugin = LLMFlowPlugin(
        app, settings=Settings(home=tmp_path), models=ModelCatalogue.only("scripted"), providers={"scripted": model}
    )
    witness = Witness(seen=[])
    client = await Client.connect(
        temporal,
        plugins=[plugin],
        data_converter=DataConverter(payload_codec=witness),
    )
    queue = str(uuid.uuid4())
    async with Worker(client, task_queue=queue, workflows=[Typed]):
        await client.execute_workflow(Typed.run, "ana", id=str(uuid.uuid4()), task_queue=queue)
    inputs = [activity for activity, data in witness.seen if b'"variables"' in data]
    assert inputs == ["llmflow.complete"]


class Subclass(SandboxedWorkflowRunner):
    """Temporal's own sandbox: the plugin replaces the class itself alone."""


@pytest.mark.parametrize("is_ours", [True, False])
async def test_the_sandbox_runs_no_code_to_find_out_whose_a_payload_is(
    temporal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_ours: bool
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(_Instance, "get_serialization_context", lambda _, command: asked.append(command))
    plugin = LLMFlowPlugin(
        app,
        settings=Settings(home=tmp_path, store=None),
        models=ModelCatalogue.only("scripted"),
        providers={"scripted": ScriptedProvider(['{"text": "hello ana", "warmth": 7}'])},
    )
    client = await Client.connect(temporal, plugins=[plugin])
    queue = str(uuid.uuid4())
    runner = SandboxedWorkflowRunner() if is_ours else Subclass()
    async with Worker(client, task_queue=queue, workflows=[Typed], workflow_runner=runner):
        await client.execute_workflow(Typed.run, "ana", id=queue, task_queue=queue)
    assert bool(asked) is not is_ours, "so `llmflow.sdk.contexts` saves it"
