"""Replays when an environment closes, and their result for nondeterministic code."""

import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from temporalio.client import WorkflowUpdateFailedError

from llmflow.client import Run
from llmflow.errors import RunNotCompleted
from llmflow.testing import Environment, ScriptedProvider, activities_of, environment
from llmflow.testing.history import assert_all_replay
from tests.helpers.waiting import until
from tests.integration.fickle import Look, app

Opened = Callable[[], AbstractAsyncContextManager[Environment]]


@pytest.fixture
def opened(temporal: str) -> Opened:
    return lambda: environment(app, ScriptedProvider([]), address=temporal)


async def begun(env: Environment, how: str) -> Run[str]:
    """A run that has called its tool."""
    run = await env.client.start(Look.run, how, id=env.id())
    await until(lambda: activities_of(run))
    return run


async def test_what_is_deterministic_replays(opened: Opened) -> None:
    async with opened() as env:
        assert await (await begun(env, "steady")).result() == "nothing"
        await begun(env, "steady, open")
        await (await begun(env, "steady, open")).terminate("seen enough")


async def test_each_run_that_does_not_replay_is_named_with_what_temporal_says(opened: Opened) -> None:
    runs: list[Run[str]] = []
    with pytest.raises(AssertionError) as failed:
        async with opened() as env:
            runs += [await begun(env, how) for how in ("fickle", "steady", "fickle, open")]
            assert await runs[0].result() == "nothing", "the run itself went well"
    for run, line in zip(runs[::2], str(failed.value).splitlines(), strict=True):
        assert line.startswith(f"{run.id} does not replay: ")
        assert "[TMPRL1100] Nondeterminism error: Activity id of scheduled event 'turn " in line


async def test_children_and_runs_that_continue_are_replayed_too(opened: Opened) -> None:
    runs: list[Run[str]] = []
    with pytest.raises(AssertionError) as failed:
        async with opened() as env:
            runs += [await env.client.start(Look.run, how, id=env.id()) for how in ("child", "continued")]
            for run in runs:
                assert await run.result() == "nothing"
    named = {line.partition(" ")[0] for line in str(failed.value).splitlines()}
    assert named == {f"{runs[0].id}-child", runs[1].id}


async def test_a_failure_of_the_test_itself_is_not_hidden(opened: Opened) -> None:
    with pytest.raises(ZeroDivisionError) as failed:
        async with opened() as env:
            await begun(env, "fickle")
            raise ZeroDivisionError
    assert failed.value.__context__ is None


async def test_a_bug_replays_as_the_bug_that_it_was(opened: Opened) -> None:
    async with opened() as env:
        run = await env.client.start(Look.run, "bug", id=env.id())
        with pytest.raises(RunNotCompleted, match="KeyError"):
            await run.result()
        run = await begun(env, "open")
        with pytest.raises(WorkflowUpdateFailedError):
            await run.handle.execute_update(Look.stumble)


async def test_a_run_that_was_deleted_is_left_out(opened: Opened) -> None:
    async with opened() as env:  # of a deleted run, which takes seconds, the server says the same as of this one
        await assert_all_replay(env.client.temporal, {str(uuid.uuid4()): "deleted"}, app)


async def test_a_test_may_leave_what_does_not_replay(temporal: str) -> None:
    async with environment(app, ScriptedProvider([]), address=temporal, replay=False) as env:
        await (await begun(env, "fickle")).result()
