"""litellm as a provider: what of it is used and what is turned off. The failures are in `dialects/test_failures.py`."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from llmflow.errors import ConfigInvalid, ModelNotFound, ProviderError, RateLimited, RequestRejected
from llmflow.providers.connect import connect_providers
from llmflow.providers.jitter import JITTER
from llmflow.providers.litellm.provider import LitellmProvider
from llmflow.providers.models.catalogue import ModelCatalogue, load_model_catalogue
from llmflow.providers.models.entries import ProviderEntry
from llmflow.types.messages import Image, Message, ToolCall, ToolResult
from llmflow.types.providers import NoDeltas, Provider, ProviderSettings
from llmflow.types.tools import ToolSpec
from llmflow.types.usage import Usage
from tests.helpers.model_server import Json, ModelServer, Reply, chat_answer

from ..conftest import KEY, Ask

PUT = ToolSpec(name="put", description="Puts.", json_schema={"type": "object", "additionalProperties": True})
CALL = {"id": "c1", "type": "function", "function": {"name": "put", "arguments": '{"query": "x"}'}}


def test_models_yaml_names_it(tmp_path: Path) -> None:
    path = tmp_path / "models.yaml"
    path.write_text("providers:\n  anthropic: {api: litellm, key: ANTHROPIC_API_KEY}\n")
    assert load_model_catalogue(path).providers == {"anthropic": ProviderEntry(api="litellm", key="ANTHROPIC_API_KEY")}


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "litellm", None)  # as the import system marks what is not there
    with pytest.raises(ConfigInvalid, match=r"provider 'claude' has `api: litellm`.*pip install 'llmflow\[litellm\]'"):
        connect_providers(ModelCatalogue(providers={"claude": ProviderEntry(api="litellm")}, aliases={}), {})


@pytest.mark.filterwarnings("ignore:Item.* `ReadOnly` qualifier:UserWarning")  # pydantic's, about litellm's own types
class TestWithLitellm:
    async def test_a_request(self, server: ModelServer, litellm: Provider, ask: Ask) -> None:
        request = ask(
            Message.system("Be brief."),
            Message.user("Look:", Image(url="https://x.test/a.png")),
            Message.assistant(ToolCall(id="c1", name="put", arguments='{"query": "x"}')),
            Message.user(ToolResult(id="c1", text="found")),
            schema={"type": "array", "items": {"type": "string"}},
            max_output_tokens=99,
            reasoning_effort="low",
            verbosity="high",
            service_tier="flex",
            tool_choice="put",
            extra={"seed": 7},
        ).model_copy(update={"tools": (PUT,)})
        server.script(Reply.text('{"value": ["a"]}'))
        answer = await litellm.complete(request, NoDeltas())
        assert answer.text == '["a"]'
        assert server.requests[0].path == "/v1/chat/completions"
        body = server.requests[0].json
        assert body.pop("response_format")["json_schema"]["schema"]["required"] == ["value"]
        assert body == {
            "model": "gpt-5.4",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Look:"},
                        {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
                    ],
                },
                {"role": "assistant", "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "c1", "content": "found"},
            ],
            "tools": [
                {"type": "function", "function": {"name": "put", "description": "Puts.", "parameters": PUT.json_schema}}
            ],
            "tool_choice": {"type": "function", "function": {"name": "put"}},
            "max_completion_tokens": 99,
            "reasoning_effort": "low",
            "verbosity": "high",
            "service_tier": "flex",
            "seed": 7,
        }

    async def test_an_answer(self, server: ModelServer, litellm: Provider, ask: Ask) -> None:
        usage = {
            "prompt_tokens": 1000,
            "prompt_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 100},
            "completion_tokens": 50,
            "completion_tokens_details": {"reasoning_tokens": 30},
            "total_tokens": 1050,
            "cost": 0.5,
        }
        server.script(Reply.json(chat_answer(None, message={"tool_calls": [CALL]}, usage=usage, service_tier="flex")))
        answer = await litellm.complete(ask(), NoDeltas())
        assert (answer.text, answer.finish_reason) == ("", "tool_calls")
        assert answer.tool_calls == (ToolCall(id="c1", name="put", arguments='{"query": "x"}'),)
        assert (answer.model, answer.response_id) == ("gpt-5.4-2026-03-05", "chatcmpl-1")
        assert (answer.service_tier, answer.base_url) == ("flex", server.url)
        assert answer.usage == Usage(
            input_tokens=1000, output_tokens=50, cache_read_tokens=600, cache_write_tokens=100, reasoning_tokens=30
        )
        assert answer.reported_usd is None, "nobody can tell it from litellm's own estimate"

    @pytest.mark.parametrize(
        ("model", "bill", "usd"),
        [
            ("xai/grok-4.3", {"cost_in_usd_ticks": 37_756_000}, Decimal("0.0037756")),
            ("openrouter/openai/gpt-5.4", {"cost": 0.25}, Decimal("0.25")),
        ],
    )
    async def test_the_bill_of_a_vendor_that_sends_one(
        self, server: ModelServer, litellm: Provider, ask: Ask, model: str, bill: Json, usd: Decimal
    ) -> None:
        server.script(Reply.json(chat_answer(usage={"prompt_tokens": 9, "completion_tokens": 1, **bill})))
        answer = await litellm.complete(ask().model_copy(update={"model": model}), NoDeltas())
        assert answer.reported_usd == usd

    @pytest.mark.parametrize(
        ("changes", "reason", "text"),
        [
            ({"finish_reason": "length"}, "length", "ok"),
            ({"message": {"refusal": "I cannot help."}}, "refused", "I cannot help."),
            ({"finish_reason": "content_filter"}, "refused", "the vendor's filter stopped the answer"),
        ],
    )
    async def test_why_it_ended(
        self, server: ModelServer, litellm: Provider, ask: Ask, changes: Json, reason: str, text: str
    ) -> None:
        server.script(Reply.json(chat_answer(**changes)))
        answer = await litellm.complete(ask(), NoDeltas())
        assert (answer.finish_reason, answer.text, answer.usage.input_tokens) == (reason, text, 100)

    async def test_an_error_under_200(self, server: ModelServer, litellm: Provider, ask: Ask) -> None:
        server.script(Reply.json(chat_answer(choices=[])))
        with pytest.raises(ProviderError) as caught:
            await litellm.complete(ask(), NoDeltas())
        assert caught.value.detail.model == "vendor:gpt-5.4"

    @pytest.mark.parametrize("status", [403, 408, 413, 429, 529])
    async def test_headers_of_a_refusal_are_read(
        self, server: ModelServer, litellm: Provider, ask: Ask, status: int
    ) -> None:
        headers = {"retry-after": "20", "x-should-retry": "true", "x-request-id": "req_7"}
        server.script(Reply.error(status, headers=headers))
        with pytest.raises(ProviderError, match="request req_7") as caught:
            await litellm.complete(ask(), NoDeltas())
        assert caught.value.detail.retry is True
        assert 20 <= (caught.value.detail.retry_after or 0) <= 20 * (1 + JITTER)

    async def test_extra_changes_the_request_and_not_who_is_asked(
        self, server: ModelServer, litellm: Provider, ask: Ask
    ) -> None:
        extra = {"api_base": "http://127.0.0.1:9", "base_url": "http://127.0.0.1:9", "api_key": "sk-x", "user": "ana"}
        server.script(Reply.error(429))
        with pytest.raises(RateLimited):
            await litellm.complete(ask(extra={**extra, "num_retries": 3, "max_retries": 3, "stream": True}), NoDeltas())
        assert server.count == 1
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
        assert server.requests[0].json["user"] == "ana"

    async def test_answers_come_in_one_piece(self, server: ModelServer, litellm: Provider, ask: Ask) -> None:
        answer = await litellm.complete(ask(stream=True), NoDeltas())
        assert (answer.text, answer.first_token) == ("ok", None)
        assert not {"stream_options"} & server.requests[0].json.keys()
        assert not server.requests[0].json.get("stream")

    @pytest.mark.parametrize("vendor", ["openai", "anthropic", "mistral", "gemini", "groq"])
    async def test_no_key_is_taken_from_the_environment(
        self, server: ModelServer, ask: Ask, monkeypatch: pytest.MonkeyPatch, vendor: str
    ) -> None:
        monkeypatch.setenv(f"{vendor.upper()}_API_KEY", KEY)
        provider = LitellmProvider(ProviderSettings(name="keyless", base_url=server.url))
        server.script(Reply.error(401))
        with pytest.raises(ProviderError) as caught:
            await provider.complete(ask().model_copy(update={"model": f"{vendor}/some-model"}), NoDeltas())
        assert caught.value.detail.status == 401
        await provider.close()
        assert server.count == 1
        assert KEY not in f"{server.requests[0]}"

    async def test_a_key_and_an_address_come_from_models_yaml(self, server: ModelServer, ask: Ask) -> None:
        entry = ProviderEntry(api="litellm", base_url=server.url, key="MY_KEY")
        environ = {"MY_KEY": "sk-one\n", "OPENAI_BASE_URL": "http://127.0.0.1:9"}
        provider = connect_providers(ModelCatalogue(providers={"mine": entry}, aliases={}), environ)["mine"]
        await provider.complete(ask(), NoDeltas())
        await provider.close()
        assert server.requests[0].headers["authorization"] == "Bearer sk-one"

    async def test_a_model_that_it_cannot_place_is_not_found(self, litellm: Provider, ask: Ask) -> None:
        with pytest.raises(ModelNotFound, match=r"vendor:nonsense.*LLM Provider NOT provided"):
            await litellm.complete(ask().model_copy(update={"model": "nonsense"}), NoDeltas())

    async def test_an_option_that_a_vendor_does_not_have_is_refused(self, litellm: Provider, ask: Ask) -> None:
        with pytest.raises(RequestRejected, match="verbosity"):
            await litellm.complete(
                ask(verbosity="low").model_copy(update={"model": "anthropic/claude-sonnet-4-5"}), NoDeltas()
            )

    async def test_closing_leaves_others_able_to_ask(self, server: ModelServer, litellm: Provider, ask: Ask) -> None:
        other = LitellmProvider(ProviderSettings(name="other", base_url=server.url, key=KEY))
        await other.complete(ask(), NoDeltas())
        await other.close()
        assert (await litellm.complete(ask(), NoDeltas())).text == "ok"

    def test_it_is_imported_at_the_first_call_without_network_settings_or_prints(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("PLANTED=yes\n")
        code = """
import asyncio, os, socket, sys
from llmflow.providers.litellm.provider import LitellmProvider
from llmflow.errors import ProviderUnavailable
from llmflow.types.models import ModelRequest
from llmflow.types.providers import NoDeltas, ProviderSettings

def resolve(*where, **_):
    print("asked for", where[0])
    raise OSError("no network here")

async def main():
    provider = LitellmProvider(ProviderSettings(name="v", base_url="http://127.0.0.1:9", key="sk-0123456789"))
    socket.getaddrinfo, kept = resolve, socket.getaddrinfo
    print("litellm" in sys.modules)
    try:
        await provider.complete(ModelRequest(model="anthropic/claude-sonnet-4-5", messages=(), timeout=30), NoDeltas())
    except Exception as error:
        print(type(error).__name__)
    print("litellm" in sys.modules, "PLANTED" in os.environ)
    await provider.close()

asyncio.run(main())
"""
        path = str(Path(__file__).parents[4])
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env={"PYTHONPATH": path},
        )
        assert done.stdout.splitlines()[0] == "False"
        assert done.stdout.splitlines()[-1] == "True False"
        assert "asked for" not in done.stdout.replace("asked for 127.0.0.1", "")
        assert done.stderr == ""
