"""State machines in runs: transitions, loops, time limits and tries."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata

from llmflow.client import Run
from llmflow.errors import InputInvalid, MachineInvalid, RunNotCompleted, StateTimedOut, TooManyVisits
from llmflow.testing import Environment, ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink
from llmflow.types.usage import Usage
from tests.helpers.chains import chain
from tests.helpers.command_line import call
from tests.integration.machinery import Impatient, Job, Order, Outcome, Turn, Untyped, Works, app

Runs = dict[str, Run[Outcome]]


class Billed:
    """Answers only when it is told to stop: a vendor bills that all the same."""

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        with suppress(asyncio.CancelledError):  # it comes too late
            await asyncio.Event().wait()
        return ModelResponse(text="hello", model="m", usage=Usage(output_tokens=5), reported_usd=Decimal("0.01"))

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(scope="module")
async def env(temporal: str) -> AsyncIterator[Environment]:
    model = ScriptedProvider([])
    async with environment(app, model, address=temporal) as env:
        yield env


@pytest.fixture(scope="module")
async def runs(env: Environment, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Those that wait for timers, all of which have passed."""
    said = [str(tmp_path_factory.mktemp("stumble"))]
    runs = {
        "patience": await started(env, "patience", laps=1),
        "deaf": await started(env, "deaf"),
        "strict": await started(env, "strict"),
        "outer": await started(env, "outer"),
        "ours": await started(env, "tries", name="ours", laps=2, said=said),
        "theirs": await started(env, "tries", name="theirs", laps=2, said=said),
        "grouped": await started(env, "tries", name="grouped", laps=2, said=said),
        "never": await started(env, "tries", name="never", laps=9, said=said),
    }
    for run in runs.values():
        await env.skip(run, timedelta(days=10))
    return runs


async def started(env: Environment, machine: str, **job: Any) -> Run[Outcome]:  # Any: whatever a job has
    order = Order.model_validate({"machine": machine, "job": job})
    return await env.client.start(Works.run, order, id=env.id())


async def failure(run: Run[Any]) -> BaseException:  # Any: runs of every type
    with pytest.raises(RunNotCompleted) as failed:
        await run.result()
    assert failed.value.__cause__
    return failed.value.__cause__


async def states(run: Run[Any]) -> list[tuple[str, str | None, str]]:  # Any: as above
    return [(one.machine, one.source, one.target) for one in (await run.progress()).transitions]


async def test_every_transition_and_every_visit_is_recorded(env: Environment) -> None:
    run = await started(env, "laps", name="lap", laps=2)

    assert await run.result() == Outcome(state="done", job=Job(name="lap", laps=2, said=["lap0", "lap1"]))
    assert await activities_of(run) == ["work/note#1", "work#2/note#1"]
    assert await states(run) == [
        ("Laps", None, "work"),
        ("Laps", "work", "rest"),
        ("Laps", "rest", "work"),
        ("Laps", "work", "rest"),
        ("Laps", "rest", "done"),
    ]
    progress = await run.progress()
    assert progress.moves == 5
    assert [(step.path, step.status) for step in progress.steps] == [
        ("work", "completed"),
        ("rest", "completed"),
        ("work#2", "completed"),
        ("rest#2", "completed"),
    ]
    moments = [one.at for one in progress.transitions]
    assert moments == sorted(moments)
    await assert_replays(run, app)


async def test_where_it_stands_is_in_the_details_of_the_run(env: Environment) -> None:
    run = await started(env, "laps", name="lap", laps=2)
    await run.result()

    metadata = await run.handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    assert "- Laps: … → work → rest → done" in metadata.current_details.splitlines()


async def test_a_loop_has_an_end(env: Environment) -> None:
    run = await started(env, "laps", laps=11)

    error = await failure(run)
    assert isinstance(error, TooManyVisits)
    assert "state 'work' may be entered 10 times, and is entered once more: work → rest → work" in error.message
    assert (await run.progress()).moves == 21
    await assert_replays(run, app)


async def test_what_takes_too_long_is_ended_and_leaves_nothing_behind(runs: Runs) -> None:
    run = runs["patience"]

    assert await run.result() == Outcome(state="lapsed", job=Job(laps=1, said=["reminded"]))
    late = "StateTimedOut: Patience was in 'work' for more than 3 d"
    assert [(step.path, step.status, step.error) for step in await run.steps()] == [
        ("work", "failed", late),
        ("work/wait", "cancelled", None),
        ("rest", "completed", None),
    ]
    await assert_replays(run, app)


async def test_what_is_under_way_when_the_time_is_up_is_paid_and_counted(temporal: str) -> None:
    async with environment(app, Billed(), address=temporal) as env:
        run = await started(env, "asks", name="ana")
        assert (await run.result()).state == "lapsed"
        total = (await run.usage()).total
        assert (total.calls, total.usd) == (1, Decimal("0.01"))
        [step] = await run.steps()
        assert (step.path, step.status, step.usage) == ("work", "failed", total)
        await assert_replays(run, app)


async def test_who_gives_up_on_a_machine_waits_until_nothing_of_it_is_running(env: Environment) -> None:
    run = await env.client.start(Impatient.run, id=env.id())
    await env.skip(run, timedelta(days=10))

    assert await run.result()
    await assert_replays(run, app)


async def test_what_finishes_all_the_same_counts(runs: Runs) -> None:
    run = runs["deaf"]

    assert await run.result() == Outcome(state="done", job=Job(said=["done at the last moment"]))
    await assert_replays(run, app)


async def test_without_a_state_for_it_the_machine_fails(runs: Runs) -> None:
    run = runs["strict"]

    error = await failure(run)
    assert isinstance(error, StateTimedOut)
    assert error.message == "Strict was in 'work' for more than 1 d"
    await assert_replays(run, app)


async def test_the_time_of_a_machine_inside_is_not_that_of_the_one_outside(runs: Runs) -> None:
    run = runs["outer"]

    error = await failure(run)
    assert isinstance(error, StateTimedOut)
    assert error.message == "Strict was in 'work' for more than 1 d"
    assert await states(run) == [
        ("Outer", None, "work"),
        ("work/Strict", None, "work"),
        ("Outer", "work", "rest"),
        ("rest/Strict", None, "work"),
    ]
    await assert_replays(run, app)


async def test_a_cancelled_run_ends_what_runs_in_its_state(env: Environment) -> None:
    run = await started(env, "strict")
    await run.cancel()

    with pytest.raises(RunNotCompleted, match="cancelled"):
        await run.result()
    assert [step.status for step in await run.steps()] == ["cancelled"]
    await assert_replays(run, app)


@pytest.mark.parametrize("name", ["ours", "theirs", "grouped"])
async def test_a_state_is_tried_again_from_where_it_began(runs: Runs, name: str) -> None:
    run = runs[name]

    folder, *said = (await run.result()).job.said
    assert said == ["tried", "call 3"], f"what the first tries said is gone, {folder} is not"
    assert await activities_of(run) == ["work/stumble#1", "work/stumble#2", "work/stumble#3"]
    assert [step.path for step in await run.steps()] == ["work"]
    await assert_replays(run, app)


async def test_a_state_is_not_tried_for_ever(runs: Runs) -> None:
    run = runs["never"]

    assert "not now" in str((await failure(run)).__cause__)
    assert len(await activities_of(run)) == 3


@pytest.mark.parametrize(("name", "said"), [("", "<Brief.LAPSED: 'lapsed'>"), ("done", "'done'")])
async def test_a_state_that_the_annotation_does_not_list(env: Environment, name: str, said: str) -> None:
    error = await failure(await started(env, "stray", name=name))

    assert isinstance(error, MachineInvalid)
    assert error.message == f"Stray.work returned {said}: its annotation does not list it"


async def test_a_context_that_cannot_be_written_down(env: Environment) -> None:
    error = await failure(await env.client.start(Untyped.run, id=env.id()))

    assert isinstance(error, InputInvalid)
    assert error.message == "the context of a machine is a pydantic model or a dataclass, not `Plain`"


async def test_a_status_shows_where_it_stands(
    env: Environment,
    temporal: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = await started(env, "laps", laps=1)
    await run.result()

    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path))
    done = await asyncio.to_thread(call, capsys, "status", run.id)  # it has a loop of its own
    assert "  Laps: work → rest → done" in done.out.splitlines()


async def test_a_workflow_that_continues_by_itself_begins_its_machine_anew(env: Environment) -> None:
    run = await env.client.start(Turn.run, 2, id=env.id())

    assert await run.result() == ["turn1-0"]
    runs = await chain(env, run)
    assert [await activities_of(one) for one in runs] == [["work/note#1"], ["work#2/note#1"]]
    for one in runs:
        await assert_replays(one, app)
