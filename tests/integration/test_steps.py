"""Steps and time."""

from datetime import timedelta

import pytest

from llmflow.errors import InputInvalid, RunNotCompleted
from llmflow.testing import ScriptedProvider, activities_of, assert_replays
from tests.integration.conftest import Hello
from tests.integration.hello.app import app
from tests.integration.hello.workflows import Patient, Steps


async def test_steps_nest_repeat_and_fail(hello: Hello) -> None:
    async with hello(ScriptedProvider([])) as env:
        run = await env.client.start(Steps.run, "last", id=env.id())

        assert await run.result() == "done"
        steps = [(step.path, step.status, step.error) for step in await run.steps()]
        await assert_replays(run, app)
    assert steps == [
        ("twice", "completed", None),
        ("twice#2", "completed", None),
        ("outer", "failed", "ValueError: inside"),
        ("outer/inner", "failed", "ValueError: inside"),
        ("last", "completed", None),
    ]


@pytest.mark.parametrize("name", ["", "a/b", "a#2"])
async def test_a_bad_name_fails_the_run_and_not_its_task(hello: Hello, name: str) -> None:
    async with hello(ScriptedProvider([])) as env:
        run = await env.client.start(Steps.run, name, id=env.id())

        with pytest.raises(RunNotCompleted, match="use a non-empty name without `/` and `#`") as failed:
            await run.result()
        assert isinstance(failed.value.__cause__, InputInvalid)


async def test_days_pass_in_no_time(hello: Hello) -> None:
    async with hello(ScriptedProvider(["good morning"])) as env:
        run = await env.client.start(Patient.run, id=env.id())
        await env.skip(run, timedelta(days=3))

        assert await run.result() == "good morning"
        assert await activities_of(run) == ["complete#1"]
        await assert_replays(run, app)
