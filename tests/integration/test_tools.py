"""`flow.call_tool`: results come back typed, mistakes end in one clear error."""

from typing import Any

import pytest
from temporalio.exceptions import ActivityError

from llmflow.errors import (
    LLMFlowError,
    PayloadTooLarge,
    RunNotCompleted,
    ToolArgumentsInvalid,
    ToolNotFound,
    ToolRefused,
)
from llmflow.testing import Environment, ScriptedProvider, activities_of, assert_replays
from tests.integration.conftest import Hello
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Use
from tests.integration.hello.workflows import Long, Tools


async def failure(env: Environment, use: Use) -> tuple[BaseException | None, list[str]]:
    """Return the error that failed the run, and its scheduled activities."""
    run = await env.client.start(Tools.run, use, id=env.id())
    with pytest.raises(RunNotCompleted) as failed:
        await run.result()
    await assert_replays(run, app)
    return failed.value.__cause__, await activities_of(run)


async def test_a_tool_is_an_activity_of_its_own_name(hello: Hello) -> None:
    async with hello(ScriptedProvider([])) as env:
        use = Use(tool="locate", arguments={"place": {"city": "oslo"}, "depth": 2})
        run = await env.client.start(Tools.run, use, id=env.id())

        assert await run.result() == {"city": "OSLO", "lines": [0, 1]}
        assert await activities_of(run) == ["locate#1"]
        await assert_replays(run, app)
        history = await run.handle.fetch_history()
        [scheduled] = [
            event.activity_task_scheduled_event_attributes
            for event in history.events
            if event.HasField("activity_task_scheduled_event_attributes")
        ]
        assert scheduled.activity_type.name == "locate"
        assert scheduled.input.payloads[0].data == b'{"place":{"city":"oslo"},"depth":2}'


async def test_a_sync_tool_runs_in_a_thread(hello: Hello) -> None:
    async with hello(ScriptedProvider([])) as env:
        run = await env.client.start(Tools.run, Use(tool="thread_name"), id=env.id())

        assert await run.result() != "MainThread"


@pytest.mark.parametrize(
    ("arguments", "field", "says", "scheduled"),
    [
        ({}, "place", "missing a required argument: 'place'", []),
        ({"place": {"city": "oslo"}, "dept": 2}, "dept", "unexpected keyword argument 'dept'", []),
        ({"place": {"city": "oslo"}, "depth": "two"}, "depth", "depth", ["locate#1"]),
        ({"place": {"town": "oslo"}}, "place.city", "place.city", ["locate#1"]),
    ],
)
async def test_bad_arguments_name_the_field_and_are_not_tried_again(
    hello: Hello, arguments: dict[str, Any], field: str, says: str, scheduled: list[str]
) -> None:
    async with hello(ScriptedProvider([])) as env:
        error, activities = await failure(env, Use(tool="locate", arguments=arguments))
    assert isinstance(error, ToolArgumentsInvalid)
    assert error.detail.field == field
    assert says in error.message
    assert activities == scheduled


async def test_a_tool_that_says_no_is_asked_once(hello: Hello) -> None:
    async with hello(ScriptedProvider([])) as env:
        error, _ = await failure(env, Use(tool="refuse", arguments={"reason": "it is sunday"}))
    assert isinstance(error, ToolRefused)
    assert error.message == "not today: it is sunday"


async def test_an_error_of_the_tools_own_is_temporals_after_its_attempts(hello: Hello) -> None:
    async with hello(ScriptedProvider([])) as env:
        error, _ = await failure(env, Use(tool="stumble"))
    assert isinstance(error, ActivityError)
    assert not isinstance(error.cause, LLMFlowError)
    assert str(error.cause) == "LookupError: nothing there"


async def test_a_tool_that_no_worker_serves(hello: Hello) -> None:
    async with hello(ScriptedProvider([])) as env:
        error, _ = await failure(env, Use(tool="unserved"))
    assert isinstance(error, ToolNotFound)
    assert "add it to its App" in error.message


async def test_a_result_that_is_too_large_fails_once_and_says_so(hello: Hello) -> None:
    async with hello(ScriptedProvider([])) as env:
        error, _ = await failure(env, Use(tool="repeat", arguments={"size": 2_000_000}))
    assert isinstance(error, PayloadTooLarge)
    assert error.detail.size is not None
    assert error.detail.size > 2_000_000


async def test_a_workflows_own_result_that_is_too_large_fails_the_run(hello: Hello) -> None:
    async with hello(ScriptedProvider([])) as env:
        run = await env.client.start(Long.run, 2_000_000, id=env.id())

        with pytest.raises(RunNotCompleted) as failed:
            await run.result()
    assert isinstance(failed.value.__cause__, PayloadTooLarge)
