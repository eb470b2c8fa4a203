"""Content of calls, as the attributes of a span."""

import json

import pytest

from llmflow.telemetry.content import CAPTURE, Content
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.messages import File, Image, Message, ToolCall, ToolResult
from llmflow.types.refs import PromptRef
from llmflow.types.usage import Cost, Usage

PROMPT = PromptRef(name="a/b", version="0123456789ab")
WANTED = {CAPTURE: "true"}
ASKED = ToolCall(id="t1", name="look_up", arguments='{"name": "ana"}')


def result(text: str, *calls: ToolCall) -> CompletionResult:
    cost = Cost(source="no price")
    return CompletionResult(
        text=text, model="openai:gpt", usage=Usage(), cost=cost, tool_calls=calls, finish_reason="tool_calls"
    )


@pytest.mark.parametrize(
    ("value", "captured"),
    [
        ("true", True),
        ("SPAN_ONLY", True),
        ("span_and_event", True),
        ("event_only", False),
        ("false", False),
        ("", False),
    ],
)
def test_it_is_asked_for_by_opentelemetrys_own_variable(value: str, captured: bool) -> None:
    content = Content({CAPTURE: value})
    assert content.captured is captured
    assert bool(content.of_result(result("hi"))) is captured
    assert bool(content.of_arguments({"a": 1})) is captured
    assert bool(content.of_error(ValueError("hi"))) is captured


def test_messages_have_the_shape_of_the_conventions() -> None:
    messages = (
        Message.user("see", Image(url="https://example.org/a.png"), File(name="a.pdf", data=b"%PDF")),
        Message.assistant(ASKED),
        Message.user(ToolResult(id="t1", text="Oslo")),
    )
    request = CompletionRequest(prompt=PROMPT, model="openai:gpt", messages=messages)
    [(name, text)] = Content(WANTED).of_request(request).items()
    assert name == "gen_ai.input.messages"
    assert json.loads(text) == [
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "see"},
                {
                    "type": "uri",
                    "uri": "https://example.org/a.png",
                    "modality": "image",
                    "mime_type": "image/png",
                },
                {"type": "blob", "modality": "file", "mime_type": "application/pdf"},
            ],
        },
        {"role": "assistant", "parts": [_tool_call()]},
        {"role": "user", "parts": [{"type": "tool_call_response", "id": "t1", "response": "Oslo"}]},
    ]


def test_an_answer_that_asks_for_a_tool() -> None:
    [text] = Content(WANTED).of_result(result("", ASKED)).values()
    assert json.loads(text) == [{"role": "assistant", "parts": [_tool_call()], "finish_reason": "tool_call"}]


def _tool_call() -> dict[str, str]:
    return {"type": "tool_call", "id": "t1", "name": "look_up", "arguments": '{"name": "ana"}'}


def test_redact_sees_text_as_people_wrote_it() -> None:
    seen: list[str] = []

    def redact(text: str) -> str:
        seen.append(text)
        return "gone"

    request = CompletionRequest(prompt=PROMPT, model="openai:gpt", variables={"name": "Søren"})
    assert Content(WANTED, redact).of_request(request) == {"llmflow.prompt.variables": "gone"}
    assert seen == ['{"name": "Søren"}']


def test_half_a_character_does_not_cost_the_batch() -> None:
    assert Content(WANTED).of_tool_result("\ud83d!") == {"gen_ai.tool.call.result": "?!"}
