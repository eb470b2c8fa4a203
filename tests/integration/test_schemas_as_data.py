"""Answers whose type is no class: unions, literals, a JSON schema, a prompt's own `output:`."""

import pytest
from pydantic import JsonValue

from llmflow.errors import InputInvalid, OutputInvalid, RunNotCompleted
from llmflow.testing import ScriptedProvider, activities_of, environment
from tests.integration.in_code import Answers, app


@pytest.mark.parametrize(
    ("way", "answers", "result"),
    [
        ("union", ['{"page": 3}'], 3),
        ("union", ["null"], "nowhere"),
        ("union", ['{"side": 3}', '{"page": 3}'], 3),
        ("literal", ['"perhaps"', '"no"'], "no"),
        ("schema", ['{"page": 3}'], {"page": 3}),
        ("schema", ['{"nothing": 1}', "no json at all"], None),
        ("schema", ['{"nothing": 1}', '{"page": 3}'], {"page": 3}),
        ("schema", ['{"page": 0}', '{"page": 1}'], {"page": 1}),
        ("prompt's own", ["no json at all", '{"page": 3}'], '{"page": 3}'),
        ("prompt's own", ['{"nothing": 1}', '{"nothing": 2}'], None),
    ],
)
async def test_an_answer_that_does_not_fit_is_asked_again(
    temporal: str, way: str, answers: list[str], result: JsonValue
) -> None:
    model = ScriptedProvider(answers)
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Answers.run, way, id=env.id())
        if result is None:
            with pytest.raises(RunNotCompleted) as failed:
                await run.result()
            error = failed.value.__cause__
            assert isinstance(error, OutputInvalid)
            assert error.detail.answer == answers[-1]
        else:
            assert await run.result() == result
        assert await activities_of(run) == [f"complete#{number + 1}" for number in range(len(answers))]
    if len(answers) == 2:
        assert model.requests[1].messages[-2].text == answers[0]
        assert "does not fit" in model.requests[1].messages[-1].text


async def test_the_model_is_told_what_is_wrong(temporal: str) -> None:
    model = ScriptedProvider(['{"page": "three"}', '{"page": 3}'])
    async with environment(app, model, address=temporal) as env:
        await (await env.client.start(Answers.run, "schema", id=env.id())).result()
    assert "- page: 'three' is not of type 'integer'" in model.requests[1].messages[-1].text
    assert model.requests[0].output is not None
    assert model.requests[0].output.name == "a_page"


async def test_without_repairs_it_fails_at_once(temporal: str) -> None:
    async with environment(app, ScriptedProvider(["no json at all"]), address=temporal) as env:
        run = await env.client.start(Answers.run, "once", id=env.id())
        with pytest.raises(RunNotCompleted, match="Invalid JSON"):
            await run.result()


@pytest.mark.parametrize(
    ("way", "says"), [("bad schema", "'objekt' is not valid"), ("far schema", "nothing in the schema has this address")]
)
async def test_a_schema_that_is_none_is_refused_before_anything_is_paid(temporal: str, way: str, says: str) -> None:
    model = ScriptedProvider([])
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Answers.run, way, id=env.id())
        with pytest.raises(RunNotCompleted, match=says) as failed:
            await run.result()
    assert isinstance(failed.value.__cause__, InputInvalid)
    assert not model.requests
