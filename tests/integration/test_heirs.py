"""Children and continued runs take over what their run knows, with no code of the user's."""

from decimal import Decimal
from typing import Any

from temporalio.api.enums.v1 import EventType

from llmflow.client import Run
from llmflow.testing import ScriptedProvider, assert_replays
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.usage import Usage
from tests.integration.conftest import Hello
from tests.integration.hello.app import app
from tests.integration.hello.workflows import Family


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
