"""State machines in runs: transitions, loops, time limits, tries, and histories that get long."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata

from llmflow.client import Run
from llmflow.errors import InputInvalid, MachineInvalid, RunNotCompleted, StateTimedOut, TooManyVisits
from llmflow.testing import Environment, ScriptedProvider, activities_of, assert_replays, environment
from tests.helpers.chains import chain
from tests.helpers.command_line import ROOT, environ, finished
from tests.helpers.hasty import hasty_server
from tests.integration.machinery import Job, Order, Outcome, Plan, Shift, Turn, Untyped, Works, app

DAY = 86_400

Runs = dict[str, Run[Outcome]]


@pytest.fixture(scope="module")
async def env(temporal: str) -> AsyncIterator[Environment]:
    model = ScriptedProvider([])
    async with environment(app, model, address=temporal, time_factor=10 * DAY, max_cached_workflows=50) as env:
        yield env


@pytest.fixture(scope="module")
async def runs(env: Environment, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Those that wait for timers, which tick once a second: all at once."""
    said = [str(tmp_path_factory.mktemp("stumble"))]
    return {
        "patience": await started(env, "patience", laps=2),
        "deaf": await started(env, "deaf"),
        "strict": await started(env, "strict"),
        "outer": await started(env, "outer"),
        "ours": await started(env, "tries", name="ours", laps=2, said=said),
        "theirs": await started(env, "tries", name="theirs", laps=2, said=said),
        "never": await started(env, "tries", name="never", laps=9, said=said),
    }


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
    run = await started(env, "laps", laps=21)

    error = await failure(run)
    assert isinstance(error, TooManyVisits)
    assert "state 'work' may be entered 20 times, and is entered once more: work → rest → work" in error.message
    assert (await run.progress()).moves == 41
    await assert_replays(run, app)


async def test_what_takes_too_long_is_ended_and_leaves_nothing_behind(runs: Runs) -> None:
    run = runs["patience"]

    assert await run.result() == Outcome(state="lapsed", job=Job(laps=2, said=["reminded", "reminded"]))
    late = "StateTimedOut: Patience was in 'work' for more than 3 d"
    assert [(step.path, step.status, step.error) for step in await run.steps()] == [
        ("work", "failed", late),
        ("work/wait", "cancelled", None),
        ("rest", "completed", None),
        ("work#2", "failed", late),
        ("work#2/wait", "cancelled", None),
        ("rest#2", "completed", None),
    ]
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


@pytest.mark.parametrize("name", ["ours", "theirs"])
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


async def test_a_state_that_the_annotation_does_not_list(env: Environment) -> None:
    error = await failure(await started(env, "stray"))

    assert isinstance(error, MachineInvalid)
    assert "Stray.work returned <Brief.LAPSED: 'lapsed'>: its annotation does not list it" in error.message


async def test_a_context_that_cannot_be_written_down(env: Environment) -> None:
    error = await failure(await env.client.start(Untyped.run, id=env.id()))

    assert isinstance(error, InputInvalid)
    assert error.message == "the context of a machine is a pydantic model or a dataclass, not `Plain`"


async def test_a_status_shows_where_it_stands(env: Environment, temporal: str, tmp_path: Path) -> None:
    run = await started(env, "laps", laps=1)
    await run.result()

    where = environ(TEMPORAL_ADDRESS=temporal, LLMFLOW_HOME=str(tmp_path))
    done = await finished("status", run.id, cwd=ROOT, env=where)
    assert "  Laps: work → rest → done" in done.out.splitlines()


@pytest.fixture(scope="module")
async def hasty() -> AsyncIterator[Environment]:
    """On a server that finds histories of 60 events long."""
    async with (
        hasty_server(events=60) as address,
        environment(app, ScriptedProvider([]), address=address, max_cached_workflows=20) as env,
    ):
        yield env


async def test_a_long_machine_continues_as_new_and_does_nothing_twice(hasty: Environment) -> None:
    run = await hasty.client.start(Shift.run, Plan(laps=15), id=hasty.id())

    laps = {name: [f"{name}{lap}" for lap in range(15)] for name in "abcd"}
    assert await run.result() == [laps["a"], laps["b"], ["c0"], laps["d"]]
    runs = await chain(hasty, run)
    assert len(runs) > 3
    scheduled = [name for one in runs for name in await activities_of(one)]
    assert len(scheduled) == len(set(scheduled)) == 3 * 15 + 1 + 1
    assert scheduled[-1] == "note#1"
    for one in runs:
        await assert_replays(one, app)

    progress = await runs[-1].progress()
    moves = {name: sum(one.machine == name for one in progress.transitions) for name in ("Laps", "Laps#4")}
    assert moves == {"Laps": 31, "Laps#4": 31}
    assert progress.moves == 3 * 31 + 3


async def test_a_loop_has_its_end_in_a_later_run_too(hasty: Environment) -> None:
    run = await hasty.client.start(Shift.run, Plan(laps=21), id=hasty.id())

    error = await failure(run)
    assert isinstance(error, TooManyVisits)
    assert "state 'work' may be entered 20 times" in error.message
    assert len(await chain(hasty, run)) > 1


async def test_a_machine_after_other_work_does_not_make_the_run_do_that_again(hasty: Environment) -> None:
    run = await hasty.client.start(Shift.run, Plan(preface=True, laps=12), id=hasty.id())

    assert (await run.result())[1] == [f"b{lap}" for lap in range(12)]
    assert len(await chain(hasty, run)) == 1
    await assert_replays(run, app)


async def test_a_workflow_that_continues_by_itself_begins_its_machine_anew(env: Environment) -> None:
    run = await env.client.start(Turn.run, 3, id=env.id())

    assert await run.result() == ["turn1-0"]
    runs = await chain(env, run)
    assert [await activities_of(one) for one in runs] == [["work/note#1"], ["work#2/note#1"], ["work#3/note#1"]]
    for one in runs:
        await assert_replays(one, app)
