"""`flow.Prompt`: hashed, pinned, stored and priced as a file's."""

from pathlib import Path

import pytest
from sqlalchemy import select

from llmflow.errors import ConfigInvalid, InputInvalid, LLMFlowError, PromptInvalid, RunNotCompleted
from llmflow.prompts.files import parse_prompt
from llmflow.stores.database import Database
from llmflow.stores.schema import calls, prompt_versions
from llmflow.testing import ScriptedProvider, activities_of, assert_replays, environment
from tests.integration.in_code import GREET, Greet, Steps, Verdict, Wrong, after_a_deploy, app, without_files

FILE = "---\nmodel: fast\n---\nsystem:\nBe kind.\n\nuser:\nGreet {{ name }}.\n"


async def test_it_is_a_version_like_that_of_a_file(temporal: str, tmp_path: Path) -> None:
    store, model = str(tmp_path / "calls.db"), ScriptedProvider(["Hello Ana.", "Hello again."])
    async with environment(without_files, model, address=temporal, store=store) as env:
        run = await env.client.start(Greet.run, "Ana", id=env.id())
        version = parse_prompt(FILE, GREET.name, "greet.prompt").ref.version

        assert await run.result() == f"Hello again. {version}"
        assert [(one.role, one.text) for one in model.requests[0].messages] == [
            ("system", "Be kind."),
            ("user", "Greet Ana."),
        ]
        assert await activities_of(run) == ["complete#1", "complete#2"]
        usage = await run.usage()
        assert list(usage.by_prompt) == [f"in_code/greet@{version}"]
    async with Database(store) as database:
        versions = select(prompt_versions.c.name, prompt_versions.c.version)
        stored = await database.read(lambda connection: connection.execute(versions).all())
        assert [tuple(row) for row in stored] == [("in_code/greet", version)]
        spent = await database.read(lambda connection: connection.scalars(select(calls.c.version)).all())
        assert list(spent) == [version, version]


async def test_a_run_keeps_the_version_that_it_began_with(temporal: str) -> None:
    async with environment(without_files, ScriptedProvider(["Hello.", "Hello."]), address=temporal) as env:
        run = await env.client.start(Greet.run, "Ana", id=env.id())
        await run.result()
    await assert_replays(run, after_a_deploy)


@pytest.mark.parametrize(
    ("what", "error", "says", "paid"),
    [
        ("two", InputInvalid, "two different inline prompts are called `in_code/greet`", 1),
        ("file", PromptInvalid, "`in_code/page` is inline in the code and also a file", 0),
        ("file later", PromptInvalid, "`in_code/page` is inline in the code and also a file", 1),
        ("template", PromptInvalid, "flow.Prompt in_code/open:5:", 0),
        ("no app", PromptInvalid, "`greet` is inline in the code, and its name begins with no App .* `in_code/...`", 0),
        ("no model", ConfigInvalid, "prompt 'in_code/mute' names no model", 0),
    ],
)
async def test_mistakes(temporal: str, what: str, error: type[LLMFlowError], says: str, paid: int) -> None:
    model = ScriptedProvider(['{"page": 1}'] * 2)
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Wrong.run, what, id=env.id())
        with pytest.raises(RunNotCompleted, match=says) as failed:
            await run.result()
    assert isinstance(failed.value.__cause__, error)
    assert len(model.requests) == paid


async def test_a_prompt_is_a_step_of_patterns(temporal: str) -> None:
    answers = ['"praise"', "Thanks.", "Trains go.", Verdict(score=2, feedback="Say when."), "At eight."]
    model = ScriptedProvider([*answers, Verdict(score=9, feedback=""), '{"page": 7}'])
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Steps.run, "trains", id=env.id())

        assert await run.result() == 'Thanks., At eight., {"page": 7}'
        assert await activities_of(run) == [
            "ask/complete#1",
            "ask#2/complete#1",
            "ask#3/complete#1",
            "judge/complete#1",
            "ask#4/complete#1",
            "judge#2/complete#1",
            "complete#1",
        ]
        assert model.requests[4].messages[-1].text == "Say when."
