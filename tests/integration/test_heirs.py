"""Children and continued runs take over what their run knows, with no code of the user's."""

import uuid
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client as TemporalClient
from temporalio.common import SearchAttributeKey
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.worker import Worker

from llmflow.client import Client, Run
from llmflow.config import Settings
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import Environment, ScriptedProvider, assert_replays
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.usage import Usage
from llmflow.worker import LLMFlowPlugin
from tests.helpers.waiting import until
from tests.integration.conftest import Hello
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Load
from tests.integration.hello.workflows import Brood, Family, Relay


def _answer(request: ModelRequest) -> ModelResponse:
    return ModelResponse(
        text='{"text": "hello", "warmth": 7}', model="m1", usage=Usage(input_tokens=1), reported_usd=Decimal("0.01")
    )


async def _resolved(run: Run[Any]) -> int:
    marker = EventType.EVENT_TYPE_MARKER_RECORDED
    return len([event async for event in run.handle.fetch_history_events() if event.event_type == marker])


async def test_pins_totals_and_origin_are_taken_over(hello: Hello) -> None:
    model = ScriptedProvider(_answer)
    async with hello(model) as env:
        first = await env.client.start(Family.run, True, id=env.id(), tenant="acme", tags=["vip"])
        assert first.run_id
        await first.result()

        last = env.client.run(first.id)
        status = await last.status()
        assert status.run_id != first.run_id
        child = env.client.run(f"{first.run_id}-child")
        first = env.client.run(first.id, first.run_id)
        # One resolution for the whole family: nobody else asked for versions or models.
        assert [await _resolved(run) for run in (first, child, last)] == [1, 0, 0]
        assert (await child.usage()).total.calls == 1
        assert (await last.usage()).total.calls == 2  # its own and that of the run that it continues
        assert (await last.usage()).total.usd == Decimal("0.02")
        for run in (first, child, last):
            await assert_replays(run, app)
    assert [request.tenant for request in model.requests] == ["acme"] * 4


async def _continued(env: Environment) -> tuple[Run[Any], Run[Any]]:
    """The first run of a relay, and the one that goes on."""
    first = await env.client.start(Relay.run, True, id=env.id(), tags=["vip"])
    begun = first.run_id

    async def next_run() -> str | None:
        now = (await env.client.run(first.id).status()).run_id
        return now if now != begun else None

    return env.client.run(first.id, begun), env.client.run(first.id, await until(next_run))


@pytest.mark.parametrize("asked", [False, True], ids=["unasked", "asked"])
async def test_a_question_changes_nothing_of_what_a_run_does(hello: Hello, asked: bool) -> None:
    async with hello(ScriptedProvider(_answer)) as env:
        first, last = await _continued(env)
        if asked:
            assert (await last.usage()).total.calls == 1
        await last.handle.signal("end")
        assert await last.result() == "done"

        await assert_replays(last, app)
        for run in (first, last):  # what was spent before a run goes on is not lost to those who look for it
            attributes = (await run.handle.describe()).typed_search_attributes
            assert attributes.get(SearchAttributeKey.for_float("LlmCostUsd")) == 0.01
            assert "tag:vip" in (attributes.get(SearchAttributeKey.for_keyword_list("LlmTags")) or ())


async def test_children_that_are_large_together_go_out_in_waves(hello: Hello) -> None:
    async with hello(ScriptedProvider([])) as env:
        run = await env.client.start(Brood.run, Load(count=5, size=1_000_000), id=env.id())
        assert await run.result() == [1_000_000] * 5
        await assert_replays(run, app)


async def test_what_is_handed_on_is_encrypted_where_everything_else_is(temporal: str, tmp_path: Path) -> None:
    model = ScriptedProvider(_answer)
    settings = Settings(home=tmp_path, store=None)
    plugin = LLMFlowPlugin(
        app, settings=settings, models=ModelCatalogue.only("scripted"), providers={"scripted": model}
    )
    converter = DataConverter(payload_codec=Reversed())
    client = await TemporalClient.connect(temporal, plugins=[plugin], data_converter=converter)
    queue = f"encrypted-{uuid.uuid4()}"
    async with Worker(client, task_queue=queue, workflows=app.workflows):
        run = await Client(client, queue).start(Family.run, False, id=queue, user="ana@example.org")
        await run.result()
        child = Client(client, queue).run(f"{run.run_id}-child")
        started = (await child.handle.fetch_history()).events[0].workflow_execution_started_event_attributes
        assert (await child.usage()).total.calls == 1
    handed_on = started.header.fields["llmflow"]
    assert handed_on.metadata["encoding"] == b"binary/reversed"
    assert b"ana@example.org" not in handed_on.data
    assert len(model.requests) == 2


class Reversed(PayloadCodec):
    """Stands for encryption."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(metadata={"encoding": b"binary/reversed"}, data=payload.SerializeToString()[::-1])
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(payload.data[::-1]) for payload in payloads]
