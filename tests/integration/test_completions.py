"""`flow.complete`: the result, what was scheduled, and that the history replays."""

from decimal import Decimal

import pytest

from llmflow.errors import (
    AuthenticationFailed,
    ConfigInvalid,
    ErrorDetail,
    InputInvalid,
    OutputInvalid,
    PayloadTooLarge,
    PromptNotFound,
    RateLimited,
    RequestRejected,
    RunNotCompleted,
    VariablesInvalid,
)
from llmflow.testing import ScriptedProvider, activities_of, assert_replays
from llmflow.types.models import ModelResponse
from llmflow.types.usage import Usage
from tests.integration.conftest import Hello
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Ask, Greeting, Load
from tests.integration.hello.workflows import Asked, Both, Caught, Large, Parallel, Pictures, Rendered, Typed

WARM = Greeting(text="hello ana", warmth=7)


async def test_typed_answer(hello: Hello) -> None:
    model = ScriptedProvider([WARM])
    async with hello(model) as env:
        run = await env.client.start(Typed.run, "ana", id=env.id())

        assert await run.result() == WARM
        assert await activities_of(run) == ["greeting/complete#1"]
        await assert_replays(run, app)
    [request] = model.requests
    assert [message.role for message in request.messages] == ["system", "user"]
    assert request.messages[1].text == "Greet ana."
    assert request.output is not None
    assert request.output.json_schema["required"] == ["text", "warmth"]


async def test_an_answer_that_does_not_fit_is_asked_again_with_the_error(hello: Hello) -> None:
    model = ScriptedProvider(['{"text": "hello", "warmth": "very"}', WARM])
    async with hello(model) as env:
        run = await env.client.start(Typed.run, "ana", id=env.id())

        assert await run.result() == WARM
        assert await activities_of(run) == ["greeting/complete#1", "greeting/complete#2"]
        await assert_replays(run, app)
        assert (await run.usage()).total.calls == 2
    answer, complaint = model.requests[1].messages[-2:]
    assert answer.role == "assistant"
    assert answer.text == '{"text": "hello", "warmth": "very"}'
    assert "- warmth: Input should be a valid integer" in complaint.text


async def test_an_answer_that_never_fits_ends_typed_with_the_last_answer_kept(hello: Hello) -> None:
    async with hello(ScriptedProvider(["no json", '{"text": 1}'])) as env:
        run = await env.client.start(Typed.run, "ana", id=env.id())

        with pytest.raises(RunNotCompleted) as failed:
            await run.result()
        error = failed.value.__cause__
        assert isinstance(error, OutputInvalid)
        assert error.detail.answer == '{"text": 1}'
        assert (await run.steps())[0].status == "failed"
        await assert_replays(run, app)


async def test_an_answer_that_was_cut_off_is_not_paid_again(hello: Hello) -> None:
    cut = ModelResponse(text='{"text": "hel', model="m", finish_reason="length", usage=Usage(output_tokens=16))
    async with hello(ScriptedProvider([cut])) as env:
        run = await env.client.start(Typed.run, "ana", id=env.id())

        with pytest.raises(RunNotCompleted, match=r"cut off after 16 tokens: raise `max_output_tokens`"):
            await run.result()
        assert await activities_of(run) == ["greeting/complete#1"]


async def test_parallel_first_calls_share_one_pin(hello: Hello) -> None:
    names = ["ana", "bo", "cy"]
    async with hello(ScriptedProvider(lambda request: request.messages[-1].text)) as env:
        run = await env.client.start(Parallel.run, names, id=env.id())

        assert await run.result() == ["Greet ana.", "Greet bo.", "Greet cy."]
        assert await activities_of(run) == [f"all/{name}/complete#1" for name in names]
        await assert_replays(run, app)
        history = await run.handle.fetch_history()
        assert sum(event.HasField("marker_recorded_event_attributes") for event in history.events) == 1
        steps = {step.path: step for step in await run.steps()}
        assert (steps["all"].done, steps["all"].total) == (3, 3)
        assert list(steps) == ["all", "all/ana", "all/bo", "all/cy"]


async def test_prompts_of_a_folder_are_pinned_together(hello: Hello) -> None:
    async with hello(ScriptedProvider(lambda request: request.messages[-1].text)) as env:
        run = await env.client.start(Both.run, id=env.id())

        assert await run.result() == ["Greet ana.", "Say goodbye to ana.", "Say goodbye to ana."]
        assert await activities_of(run) == ["complete#1", "complete#2", "complete#3"]
        history = await run.handle.fetch_history()
        # One for the folder, and one for a model that no prompt of it names.
        assert sum(event.HasField("marker_recorded_event_attributes") for event in history.events) == 2
        await assert_replays(run, app)


async def test_usage_by_model_and_by_prompt_version(hello: Hello) -> None:
    def priced(name: str, usd: str | None) -> ModelResponse:
        cost = Decimal(usd) if usd else None
        return ModelResponse(text=name, model=name, usage=Usage(input_tokens=100, output_tokens=7), reported_usd=cost)

    async with hello(ScriptedProvider([priced("a", "0.01"), priced("b", "0.02"), priced("b", None)])) as env:
        run = await env.client.start(Parallel.run, ["x", "y", "z"], id=env.id())
        await run.result()
        usage = await run.usage()
    assert usage.total.calls == 3
    assert usage.total.usd == Decimal("0.03")
    assert usage.total.unpriced_calls == 1
    assert usage.total.usage.input_tokens == 300
    assert usage.by_model["scripted:b"].calls == 2
    [(prompt, totals)] = usage.by_prompt.items()
    assert prompt.startswith("hello/greet@")
    assert totals == usage.total


async def test_user_code_catches_our_errors_by_class(hello: Hello) -> None:
    async with hello(ScriptedProvider([RateLimited("slow down", ErrorDetail(status=429))])) as env:
        run = await env.client.start(Caught.run, id=env.id())

        assert await run.result() == "RateLimited: 429"
        await assert_replays(run, app)


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (Ask(prompt="hello/gret"), PromptNotFound, "did you mean `hello/greet`"),
        (Ask(variables={}), VariablesInvalid, "variable `name` is missing"),
        (Ask(variables={"name": "ana", "nam": "bo"}), VariablesInvalid, "`nam`"),
        (Ask(prompt="hello/homeless", variables={}), ConfigInvalid, "names no model"),
        (Ask(repairs=-1), InputInvalid, "repairs=-1"),
    ],
)
async def test_mistakes_end_in_one_clear_error_and_nothing_is_paid(
    hello: Hello, ask: Ask, error: type[Exception], says: str
) -> None:
    model = ScriptedProvider(["never asked"])
    async with hello(model) as env:
        run = await env.client.start(Asked.run, ask, id=env.id())

        with pytest.raises(RunNotCompleted) as failed:
            await run.result()
        assert isinstance(failed.value.__cause__, error)
        assert says in str(failed.value)
        await assert_replays(run, app)
    assert model.requests == []


@pytest.mark.parametrize("error", [AuthenticationFailed("no key"), RequestRejected("bad field")])
async def test_what_a_retry_cannot_mend_is_asked_once(hello: Hello, error: Exception) -> None:
    model = ScriptedProvider([error])  # type: ignore[list-item]  every case is an Answer
    async with hello(model) as env:
        run = await env.client.start(Typed.run, "ana", id=env.id())

        with pytest.raises(RunNotCompleted, match=f"{type(error).__name__}: {error}"):
            await run.result()
    assert len(model.requests) == 1


async def test_inputs_that_are_large_together_go_out_in_waves(hello: Hello) -> None:
    async with hello(ScriptedProvider(lambda _: "hi")) as env:
        run = await env.client.start(Large.run, Load(count=20, size=250_000), id=env.id())

        assert await run.result() == 20
        assert await activities_of(run) == [f"complete#{number}" for number in range(1, 21)]
        await assert_replays(run, app)


async def test_one_input_that_is_too_large_fails_before_it_is_sent(hello: Hello) -> None:
    model = ScriptedProvider([])
    async with hello(model) as env:
        run = await env.client.start(Large.run, Load(count=1, size=2_000_000), id=env.id())

        with pytest.raises(RunNotCompleted, match=r"2,000,\d\d\d bytes is too large for Temporal") as failed:
            await run.result()
        assert isinstance(failed.value.__cause__, PayloadTooLarge)
        assert await activities_of(run) == []


async def test_render_gives_the_text_of_the_pinned_version(hello: Hello) -> None:
    model = ScriptedProvider([])
    async with hello(model) as env:
        run = await env.client.start(Rendered.run, "ana", id=env.id())

        assert await run.result() == ["You greet people.", "Greet ana."]
        assert await activities_of(run) == ["render#1"]
        await assert_replays(run, app)
    assert model.requests == []


async def test_pictures_follow_the_prompt(hello: Hello) -> None:
    picture = bytes(range(256))
    model = ScriptedProvider(["it is ana"])
    async with hello(model) as env:
        run = await env.client.start(Pictures.run, picture, id=env.id())

        assert await run.result() == "it is ana"
        await assert_replays(run, app)
    [_text, image] = model.requests[0].messages[-1].parts
    assert image.type == "image"
    assert image.data == picture
