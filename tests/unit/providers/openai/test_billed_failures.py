"""A failure keeps the usage and the bill that the vendor sent with it."""

from decimal import Decimal
from typing import Any

import pytest

from llmflow.errors import AnswerUnreadable, ProviderError
from llmflow.types.models import Billed
from llmflow.types.providers import NoDeltas, Provider
from llmflow.types.usage import Usage
from tests.helpers.model_server import ModelServer, Reply, chat_answer, responses_answer

from ..conftest import Ask

SPENT = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
USAGE = Usage(input_tokens=100, output_tokens=20)
ERROR = {"message": "it broke", "code": "server_error"}
CHUNK = {"model": "big-1", "choices": [{"index": 0, "delta": {"content": "o"}}]}
SEARCH = {"type": "web_search_call", "status": "completed", "action": {"type": "search"}}


async def failed(server: ModelServer, provider: Provider, ask: Ask, reply: Reply, **changes: Any) -> ProviderError:
    server.script(reply)
    with pytest.raises(ProviderError) as caught:
        await provider.complete(ask(**changes), NoDeltas())
    return caught.value


@pytest.mark.parametrize(
    ("reply", "model", "usd"),
    [
        (Reply.json({"error": ERROR, "usage": SPENT}, 500), "gpt-5.4", None),
        (Reply.json({"error": {**ERROR, "usage": {**SPENT, "cost": 0.5}}}, 402), "gpt-5.4", Decimal("0.5")),
        (Reply.json({"error": {**ERROR, "metadata": {"usage": SPENT}}, "model": "big-1"}, 429), "big-1", None),
        (Reply.json([{"error": ERROR, "usage": SPENT}], 503), "gpt-5.4", None),
        (Reply.json({"error": ERROR, "usage": SPENT}), "gpt-5.4", None),
        (Reply.json({"model": "big-1", "choices": "none", "usage": {**SPENT, "cost": 1}}), "big-1", Decimal(1)),
        (
            Reply.json({**chat_answer(usage=SPENT), "choices": [{"error": ERROR, "message": {}}], "model": "big-1"}),
            "big-1",
            None,
        ),
    ],
)
async def test_errors_and_unreadable_answers(
    server: ModelServer, chat: Provider, ask: Ask, reply: Reply, model: str, usd: Decimal | None
) -> None:
    error = await failed(server, chat, ask, reply)
    billed = Billed.model_validate(error.detail.billed)
    assert billed == Billed(model=model, usage=USAGE, reported_usd=usd, base_url=server.url)


async def test_the_kind_and_the_words_stay(server: ModelServer, chat: Provider, ask: Ask) -> None:
    error = await failed(server, chat, ask, Reply.json({"model": "m", "choices": 7, "usage": SPENT}))
    assert type(error) is AnswerUnreadable
    assert error.detail.model == "local:gpt-5.4"
    assert "It is billed" in error.message


@pytest.mark.parametrize(
    "event", [{"error": ERROR}, {"error": ERROR, "usage": {"completion_tokens": 20}}, {"error": ERROR, **CHUNK}]
)
async def test_a_stream_that_fails_after_its_usage(
    server: ModelServer, chat: Provider, ask: Ask, event: dict[str, Any]
) -> None:
    error = await failed(server, chat, ask, Reply.stream({**CHUNK, "usage": SPENT}, event), stream=True)
    billed = Billed.model_validate(error.detail.billed)
    assert (billed.model, billed.usage) == ("big-1", USAGE)


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_failed_response(server: ModelServer, responses: Provider, ask: Ask, streamed: bool) -> None:
    answer = responses_answer(status="failed", error=ERROR, output=[SEARCH, SEARCH])
    reply = Reply.stream({"type": "response.failed", "response": answer}) if streamed else Reply.json(answer)
    error = await failed(server, responses, ask, reply, stream=streamed)
    billed = Billed.model_validate(error.detail.billed)
    assert billed.usage == Usage(input_tokens=100, output_tokens=20, web_searches=2)
    assert (billed.model, billed.service_tier) == ("gpt-5.4-2026-03-05", "default")


@pytest.mark.parametrize("reply", [Reply.error(500), Reply.json({"error": ERROR, "usage": None}, 500)])
async def test_an_error_alone_is_not_billed(server: ModelServer, chat: Provider, ask: Ask, reply: Reply) -> None:
    assert (await failed(server, chat, ask, reply)).detail.billed is None
