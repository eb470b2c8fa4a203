"""Limits of models.yaml: what passes, what is refused and until when, and what a refused call leaves behind."""

import pytest
from pydantic import JsonValue

from llmflow.errors import LimitReached, ProviderUnavailable
from llmflow.providers.limits.counters import Counters
from llmflow.providers.limits.limited import Limited
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.models.entries import ProviderEntry
from llmflow.providers.models.limits import Limit, Limits
from llmflow.testing import ScriptedProvider
from llmflow.types.messages import Message
from llmflow.types.models import ModelOptions, ModelRequest, ModelResponse, OutputSchema
from llmflow.types.providers import NoDeltas, Provider
from llmflow.types.tools import ToolSpec
from llmflow.types.usage import Usage
from tests.unit.providers.conftest import DAY, Clock


@pytest.fixture(autouse=True)
def clock(clock: Clock) -> Clock:
    """No test begins in one minute and ends in the next."""
    return clock


def per_minute(requests: int | None = None, tokens: int | None = None) -> Limits:
    def per_minute(amount: int | None) -> tuple[Limit, ...]:
        return (Limit(amount=amount, seconds=60),) if amount else ()

    return Limits(requests=per_minute(requests), tokens=per_minute(tokens))


def limited(
    key: Limits | None = None,
    models: dict[str, Limits] | None = None,
    tenants: dict[str, Limits] | None = None,
    usage: Usage | None = None,
    provider: Provider | None = None,
) -> Limited:
    """A provider `local` that always answers, with limits of its key, of models and of tenants."""
    answer = ModelResponse(text="yes", model="a", usage=usage or Usage())
    vendor = provider or ScriptedProvider(lambda _: answer)
    entry = ProviderEntry(api="chat", limits=key or Limits())
    known = ModelCatalogue(providers={"local": entry}, aliases={}, limits=models or {}, tenants=tenants or {})
    return Limited(vendor, "local", known, Counters())


def ask(model: str = "a", tenant: str | None = None, text: str = "Why?", answer: int = 100) -> ModelRequest:
    options = ModelOptions(max_output_tokens=answer)
    return ModelRequest(model=model, messages=(Message.user(text),), options=options, tenant=tenant)


async def passes(provider: Limited, request: ModelRequest) -> bool:
    try:
        await provider.complete(request, NoDeltas())
    except LimitReached:
        return False
    return True


async def test_what_has_no_room_is_refused_until_there_is(clock: Clock) -> None:
    provider = limited(per_minute(requests=2))
    assert [await passes(provider, ask()) for _ in range(2)] == [True, True]

    with pytest.raises(LimitReached) as caught:
        await provider.complete(ask(), NoDeltas())

    assert caught.value.message.startswith("local:a was not asked: 2 requests in 60 s are used up; there is room in ")
    assert "Raise `providers.local.limits.requests` in models.yaml" in caught.value.message
    wait = caught.value.detail.retry_after
    assert wait is not None
    assert 60 <= wait <= 61 * 1.2
    clock.now += 59
    assert not await passes(provider, ask())
    clock.now += wait - 59
    assert await passes(provider, ask())


async def test_the_limit_of_a_key_is_for_its_models_together_and_that_of_a_model_for_it_alone() -> None:
    together = limited(per_minute(requests=2))
    assert [await passes(together, ask(model)) for model in ("a", "b", "c")] == [True, True, False]

    alone = limited(models={"local:a": per_minute(requests=1)})
    assert [await passes(alone, ask(model)) for model in ("a", "a", "b", "b")] == [True, False, True, True]


async def test_tenants_have_limits_of_their_own_and_calls_without_a_tenant_have_none() -> None:
    provider = limited(tenants={"*": per_minute(requests=1), "acme": per_minute(requests=2)})
    tenants = ("small", "small", "other", "acme", "acme", "acme", None, None)
    passed = [await passes(provider, ask(tenant=tenant)) for tenant in tenants]
    assert passed == [True, False, True, True, True, False, True, True]

    with pytest.raises(LimitReached, match=r"for tenant 'small': .* Raise `tenants\.\*\.requests`"):
        await provider.complete(ask(tenant="small"), NoDeltas())


async def test_a_refused_call_takes_from_no_limit() -> None:
    provider = limited(
        per_minute(requests=3), models={"local:a": per_minute(requests=3)}, tenants={"small": per_minute(requests=1)}
    )
    assert await passes(provider, ask(tenant="small"))
    assert [await passes(provider, ask(tenant="small")) for _ in range(5)] == [False] * 5
    assert [await passes(provider, ask()) for _ in range(3)] == [True, True, False]


async def test_tokens_are_the_characters_of_the_request_and_the_longest_answer() -> None:
    provider = limited(per_minute(tokens=1000))
    assert await passes(provider, ask(text="x" * 2000, answer=400))  # 500 + 400
    assert not await passes(provider, ask(text="x", answer=101))
    assert await passes(provider, ask(text="x", answer=100))


async def test_what_was_really_used_is_counted_when_the_answer_is_there() -> None:
    cheap = limited(per_minute(tokens=1000), usage=Usage(input_tokens=10, output_tokens=10))
    assert [await passes(cheap, ask(answer=900)) for _ in range(5)] == [True] * 5

    dear = limited(per_minute(tokens=1000), usage=Usage(input_tokens=500, output_tokens=400))
    assert [await passes(dear, ask(answer=101)) for _ in range(2)] == [True, False]

    unknown = limited(per_minute(tokens=1000))
    assert [await passes(unknown, ask(answer=900)) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(("used", "free_after"), [(1000, 61), (2000, 91), (10_000, 115)])
async def test_an_answer_that_used_more_than_there_was_is_made_up_for(clock: Clock, used: int, free_after: int) -> None:
    """Usage beyond the limit blocks the next minute until it has faded."""
    provider = limited(per_minute(tokens=1000), usage=Usage(input_tokens=used))
    assert await passes(provider, ask(answer=1))
    clock.now += free_after - 2
    assert not await passes(provider, ask(answer=1))
    clock.now += 2
    assert await passes(provider, ask(answer=1))


async def test_tools_and_the_schema_of_the_answer_are_tokens_too() -> None:
    schema: dict[str, JsonValue] = {"type": "object", "description": "x" * 2000}
    tools = (ToolSpec(name="find", description="", json_schema=schema),)
    for described in ({"tools": tools}, {"output": OutputSchema(name="plan", json_schema=schema)}):
        provider = limited(per_minute(tokens=1000))
        assert await passes(provider, ask(answer=100).model_copy(update=described))  # more than 500 + 100
        assert not await passes(provider, ask(answer=400))


async def test_a_call_that_failed_keeps_what_it_took() -> None:
    provider = limited(per_minute(requests=1), provider=ScriptedProvider([ProviderUnavailable("down")]))
    with pytest.raises(ProviderUnavailable):
        await provider.complete(ask(), NoDeltas())
    assert not await passes(provider, ask())


async def test_a_call_that_is_larger_than_a_limit_waits_for_all_of_it_and_passes() -> None:
    provider = limited(per_minute(tokens=1000))
    assert [await passes(provider, ask(answer=5000)) for _ in range(2)] == [True, False]


async def test_credit_is_not_carried_into_the_next_minute(clock: Clock) -> None:
    """An answer that comes in the next minute gives nothing back, or that minute could use more than its limit."""

    def answer(request: ModelRequest) -> ModelResponse:
        if request.options.max_output_tokens != 900:
            return ModelResponse(text="", model="a")
        clock.now += 60
        return ModelResponse(text="", model="a", usage=Usage(input_tokens=1))

    provider = limited(per_minute(tokens=1000), provider=ScriptedProvider(answer))
    await provider.complete(ask(answer=900), NoDeltas())
    clock.now += 59.9  # the minute after the one in which it was taken is nearly over
    assert [await passes(provider, ask(text="", answer=499)) for _ in range(3)] == [True, True, False]


async def test_a_long_wait_is_the_workflows() -> None:
    """No activity waits for tomorrow: the next candidate is asked at once, and without one the workflow sleeps."""
    day = limited(Limits(requests=(Limit(amount=1, seconds=DAY),)))
    await day.complete(ask(), NoDeltas())
    with pytest.raises(LimitReached) as caught:
        await day.complete(ask(), NoDeltas())
    assert caught.value.detail.retry is False
    assert caught.value.detail.retry_after is not None

    second = limited(Limits(requests=(Limit(amount=1, seconds=1),)))
    await second.complete(ask(), NoDeltas())
    with pytest.raises(LimitReached) as caught:
        await second.complete(ask(), NoDeltas())
    assert caught.value.detail.retry is None


async def test_every_limit_of_a_list_holds(clock: Clock) -> None:
    both = Limits(requests=(Limit(amount=1, seconds=1), Limit(amount=2, seconds=3600)))
    provider = limited(both)
    passed = []
    for _ in range(3):
        passed.append((await passes(provider, ask()), await passes(provider, ask())))
        clock.now += 2
    assert passed == [(True, False), (True, False), (False, False)]
