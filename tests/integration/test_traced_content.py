"""Content in the trace of a real run: none, all of it, or the part that `redact` leaves."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from llmflow.testing import ScriptedProvider, environment
from tests.helpers.tracing import traced
from tests.integration.traced import Whole, app

SECRET = "ana"
ANSWER = "hi, dear ana"


async def said(temporal: str, redact: Callable[[str], str] | None = None) -> list[dict[str, Any]]:
    """Attributes of the spans of one run, each with its name."""
    with traced() as spans:
        async with environment(
            replace(app, redact=redact), ScriptedProvider(lambda _: ANSWER), address=temporal
        ) as env:
            run = await env.client.start(Whole.run, SECRET, id=env.id())
            assert (await run.result())[0] == ANSWER
        return [{"name": span.name, **(span.attributes or {})} for span in spans.get_finished_spans()]


@pytest.fixture
def _captured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")


async def test_nothing_unless_it_is_asked_for(temporal: str) -> None:
    assert SECRET not in str(await said(temporal))


@pytest.mark.usefixtures("_captured")
async def test_all_of_it_where_it_is_asked_for(temporal: str) -> None:
    spans = await said(temporal)
    chats = [span for span in spans if span["name"] == "chat smart"]
    first = next(span for span in chats if span["llmflow.call.id"] == "greet/complete#1")
    assert json.loads(first["llmflow.prompt.variables"]) == {"name": SECRET}
    assert json.loads(first["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": ANSWER}], "finish_reason": "stop"}
    ]
    [tool] = [span for span in spans if span["name"] == "execute_tool look_up"]
    assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"name": SECRET}
    assert tool["gen_ai.tool.call.result"] == "ana lives in Oslo"


@pytest.mark.usefixtures("_captured")
async def test_what_redact_leaves_of_it(temporal: str) -> None:
    spans = await said(temporal, lambda text: re.sub(SECRET, "***", text))
    assert SECRET not in str(spans)
    assert "*** lives in Oslo" in str(spans)


@pytest.mark.usefixtures("_captured")
async def test_a_redact_that_fails_costs_the_content_and_not_the_call(
    temporal: str, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(text: str) -> str:
        raise LookupError(text)

    assert SECRET not in str(await said(temporal, broken))
    warnings = [record.getMessage() for record in caplog.records if record.name == "llmflow.telemetry"]
    assert "content of a call is not in the trace: redact failed with LookupError" in warnings
    assert SECRET not in "".join(warnings)
