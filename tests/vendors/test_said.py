"""Parts of requests as each vendor documents them, sent to its own host by way of a proxy on this machine.

    OpenAI      SDK 3.52: `ResponseInputTextParam`, `ResponseFunctionCallOutputItemParam`, `ChatCompletionContentPart*`
    OpenRouter  "Prompt Caching", "PDF Inputs": a URL stands in `file_data`
    DeepSeek    "Chat Prefix Completion (Beta)"
    Mistral     its SDK: `AssistantMessage.prefix`, `DocumentURLChunk`, `FileChunk`, `AudioChunk`
    Anthropic   through litellm: "Pre-fix Assistant Messages", "Prompt Caching", "PDF support", "Files API"

Kimi's "Partial Mode" and Mistral's "Audio" page could not be read; their shapes are those of public clients.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from llmflow.errors import RequestUnsupported
from llmflow.providers.litellm.provider import LitellmProvider
from llmflow.providers.openai.chat_provider import ChatProvider
from llmflow.providers.openai.responses import ResponsesProvider
from llmflow.types.messages import Audio, File, Image, Message, Text, ToolCall, ToolResult
from llmflow.types.models import ModelOptions, ModelRequest, ModelResponse
from llmflow.types.providers import NoDeltas, ProviderFactory, ProviderSettings
from tests.helpers.model_server import Json, ModelServer, Reply, chat_answer

OPENAI = "http://api.openai.com/v1"
OPENROUTER = "http://openrouter.ai/api/v1"
MISTRAL = "http://api.mistral.ai/v1"
DEEPSEEK = "http://api.deepseek.com/beta"
KIMI = "http://api.moonshot.ai/v1"
LOCAL = "http://vllm.corp.test/v1"

PDF = File(name="a.pdf", url="https://x.test/a.pdf")
UPLOADED = File(name="a.pdf", file_id="file-1")
SOUND = Audio(data=b"\x01\x02", media_type="audio/mpeg")
BOOK = Text(text="A book.", cache="5m")
LONG_BOOK = Text(text="A book.", cache="1h")
PICTURE = Image(url="https://x.test/a.png")
CALL = ToolCall(id="c1", name="look", arguments="{}")
SEEN = ToolResult(id="c1", text="seen", parts=(PICTURE,))
BEGUN = Message.assistant("It is", prefix=True)


@pytest.fixture
async def host(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ModelServer]:
    """A proxy that answers in the place of every host."""
    async with ModelServer() as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        yield server


async def asked(connect: ProviderFactory, base_url: str, model: str, *messages: Message, **more: Any) -> ModelResponse:
    """Ask a vendor. Any: fields of the request."""
    provider = connect(ProviderSettings(name="v", base_url=base_url, key="sk-0123456789"))
    try:
        return await provider.complete(ModelRequest(model=model, messages=messages, timeout=30, **more), NoDeltas())
    finally:
        await provider.close()


def last(body: Json) -> Any:  # Any: JSON
    """Return the last message of a request to Chat Completions."""
    return body["messages"][-1]


def content(body: Json) -> Any:  # Any: JSON
    return last(body)["content"]


@pytest.mark.parametrize(
    ("base_url", "model", "message", "find", "expected"),
    [
        (
            OPENAI,
            "gpt-5.6",
            Message.user(BOOK),
            content,
            [{"type": "text", "text": "A book.", "prompt_cache_breakpoint": {"mode": "explicit"}}],
        ),
        (OPENAI, "gpt-5.4", Message.user(BOOK), content, "A book."),
        (LOCAL, "gpt-5.6", Message.user(LONG_BOOK), content, "A book."),
        (
            OPENROUTER,
            "anthropic/claude-sonnet-5",
            Message.system(LONG_BOOK),
            content,
            [{"type": "text", "text": "A book.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        ),
        (
            OPENROUTER,
            "anthropic/claude-sonnet-5",
            Message.user(ToolResult(id="c1", text="found", cache="5m")),
            content,
            [{"type": "text", "text": "found", "cache_control": {"type": "ephemeral"}}],
        ),
        (
            OPENROUTER,
            "m",
            Message.user(PDF),
            content,
            [{"type": "file", "file": {"filename": "a.pdf", "file_data": "https://x.test/a.pdf"}}],
        ),
        (OPENROUTER, "m", BEGUN, last, {"role": "assistant", "content": "It is"}),
        (
            MISTRAL,
            "m",
            Message.user(PDF),
            content,
            [{"type": "document_url", "document_url": "https://x.test/a.pdf", "document_name": "a.pdf"}],
        ),
        (
            MISTRAL,
            "m",
            Message.user(File(name="b.pdf", data=b"\x03")),
            content,
            [
                {
                    "type": "document_url",
                    "document_url": "data:application/pdf;base64,Aw==",
                    "document_name": "b.pdf",
                }
            ],
        ),
        (MISTRAL, "m", Message.user(UPLOADED), content, [{"type": "file", "file_id": "file-1"}]),
        (MISTRAL, "m", Message.user(SOUND), content, [{"type": "input_audio", "input_audio": "AQI="}]),
        (MISTRAL, "m", BEGUN, last, {"role": "assistant", "content": "It is", "prefix": True}),
        (DEEPSEEK, "m", BEGUN, last, {"role": "assistant", "content": "It is", "prefix": True}),
        (KIMI, "m", BEGUN, last, {"role": "assistant", "content": "It is", "partial": True}),
        (OPENAI, "m", Message.user(UPLOADED), content, [{"type": "file", "file": {"file_id": "file-1"}}]),
        (
            OPENAI,
            "m",
            Message.user(SOUND),
            content,
            [{"type": "input_audio", "input_audio": {"data": "AQI=", "format": "mp3"}}],
        ),
    ],
)
async def test_chat_completions(
    host: ModelServer, base_url: str, model: str, message: Message, find: Callable[[Json], Any], expected: object
) -> None:
    await asked(ChatProvider, base_url, model, message)
    assert host.requests[0].path.startswith(base_url)
    assert find(host.requests[0].json) == expected


RESULT: Json = {"type": "function_call_output", "call_id": "c1"}
SHOWN: Json = {"type": "input_image", "image_url": "https://x.test/a.png", "detail": "auto"}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (Message.user(PDF), {"type": "input_file", "file_url": "https://x.test/a.pdf"}),
        (Message.user(UPLOADED), {"type": "input_file", "file_id": "file-1"}),
        (Message.user(Image(file_id="file-2")), {"type": "input_image", "file_id": "file-2", "detail": "auto"}),
        (
            Message.user(BOOK),
            {"type": "input_text", "text": "A book.", "prompt_cache_breakpoint": {"mode": "explicit"}},
        ),
        (Message.assistant(BOOK), {"type": "output_text", "text": "A book."}),
        (Message.user(SEEN), {**RESULT, "output": [{"type": "input_text", "text": "seen"}, SHOWN]}),
        (Message.user(ToolResult(id="c1", text="", parts=(PICTURE,))), {**RESULT, "output": [SHOWN]}),
        (Message.user(ToolResult(id="c1", text="seen")), {**RESULT, "output": "seen"}),
    ],
)
async def test_the_responses_api(host: ModelServer, message: Message, expected: Json) -> None:
    await asked(ResponsesProvider, OPENAI, "gpt-5.6-sol", message)
    [item] = host.requests[0].json["input"]
    assert item == expected or item["content"] == [expected]


CLAUDE = "anthropic/claude-sonnet-4-5"


def anthropic_answer(text: str) -> Reply:
    usage = {"input_tokens": 9, "output_tokens": 3}
    message = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": text}]}
    return Reply.json(
        {"id": "msg_1", **message, "model": "claude-sonnet-4-5", "stop_reason": "end_turn", "usage": usage}
    )


@pytest.mark.filterwarnings("ignore:Item.* `ReadOnly` qualifier:UserWarning")  # pydantic's, about litellm's own types
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            Message.user(LONG_BOOK),
            {"type": "text", "text": "A book.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ),
        (Message.user(PDF), {"type": "document", "source": {"type": "url", "url": "https://x.test/a.pdf"}}),
        (Message.user(UPLOADED), {"type": "document", "source": {"type": "file", "file_id": "file-1"}}),
        (
            Message.user(File(name="b.pdf", data=b"\x03")),
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "Aw=="}},
        ),
        (
            Message.user(SEEN),
            {
                "type": "tool_result",
                "tool_use_id": "c1",
                "content": [
                    {"type": "text", "text": "seen"},
                    {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}},
                ],
            },
        ),
        (BEGUN, {"type": "text", "text": "It is"}),
    ],
)
async def test_anthropic_through_litellm(host: ModelServer, message: Message, expected: Json) -> None:
    host.script(anthropic_answer(" good."))
    question = (Message.user("Is it?"), Message.assistant(CALL))
    before = question if SEEN in message.parts else question[:1]
    options = ModelOptions(max_output_tokens=99)
    answer = await asked(LitellmProvider, f"http://127.0.0.1:{host.port}", CLAUDE, *before, message, options=options)
    said = host.requests[0].json["messages"][-1]
    assert said["content"][-1] == expected
    assert answer.text == ("It is good." if message is BEGUN else " good.")


@pytest.mark.parametrize(
    ("connect", "base_url", "message", "said"),
    [
        (ChatProvider, OPENAI, Message.user(PDF), "takes no file by URL: give 'a.pdf' as `data`"),
        (ChatProvider, OPENAI, Message.user(Image(file_id="f")), "takes no picture by its file id"),
        (ChatProvider, OPENAI, Message.user(Audio(url="https://x.test/a.wav")), "takes audio as `data` alone"),
        (ChatProvider, LOCAL, Message.user(SEEN), "takes no pictures and files in the result of a tool"),
        (ChatProvider, LOCAL, BEGUN, "continues no answer that has begun"),
        (ResponsesProvider, OPENAI, BEGUN, "continues no answer that has begun"),
        (ResponsesProvider, OPENAI, Message.user(SOUND), "takes no audio"),
        (LitellmProvider, LOCAL, BEGUN, "continues no answer that has begun"),
    ],
)
async def test_what_a_vendor_cannot_be_told_goes_to_the_next_candidate(
    host: ModelServer, connect: ProviderFactory, base_url: str, message: Message, said: str
) -> None:
    with pytest.raises(RequestUnsupported, match=f"v:m was not asked: .*{said}") as caught:
        await asked(connect, base_url, "m", message)
    assert caught.value.fallback
    assert host.count == 0


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("text", ["It is good.", " good."])
async def test_an_answer_begins_with_its_prefix(host: ModelServer, text: str, stream: bool) -> None:
    """Mistral repeats it, DeepSeek does not."""
    host.script(Reply.text(text))
    options = ModelOptions(stream=stream)
    answer = await asked(ChatProvider, DEEPSEEK, "m", Message.user("Is it?"), BEGUN, options=options)
    assert answer.text == "It is good."

    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    host.script(Reply.json(chat_answer(None, message={"tool_calls": [call]})))
    assert (await asked(ChatProvider, DEEPSEEK, "m", BEGUN)).text == "", "there is no answer yet"


HOSTED: Json = {"type": "web_search", "search_context_size": "low"}


@pytest.mark.parametrize(("connect", "base_url"), [(ChatProvider, LOCAL), (ResponsesProvider, OPENAI)])
async def test_tools_of_the_vendor_stand_beside_ours(
    host: ModelServer, connect: ProviderFactory, base_url: str
) -> None:
    tool = {"name": "look", "description": "Looks.", "json_schema": {"type": "object", "properties": {}}}
    options = ModelOptions(hosted_tools=(HOSTED,))
    await asked(connect, base_url, "gpt-5.4", Message.user("?"), tools=(tool,), options=options)
    await asked(connect, base_url, "gpt-5.4", Message.user("?"), options=options)
    first, second = (request.json["tools"] for request in host.requests)
    assert [one["type"] for one in first] == ["function", "web_search"]
    assert second == [HOSTED]
