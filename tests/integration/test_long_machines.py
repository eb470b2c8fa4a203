"""Machines whose histories get long: their runs continue as new by themselves, and do nothing twice."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from llmflow.errors import RunNotCompleted, TooManyVisits
from llmflow.testing import Environment, ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.contracts import DECIDE
from tests.helpers.chains import chain
from tests.helpers.hasty import hasty_server
from tests.integration.shifts import Beside, Meeting, Plan, Race, Shift, app


@pytest.fixture(scope="module")
async def env() -> AsyncIterator[Environment]:
    """On a server that finds histories of 40 events long."""
    async with (
        hasty_server(events=40) as address,
        environment(app, ScriptedProvider([]), address=address) as env,
    ):
        yield env


async def test_machines_one_after_the_other_go_on_where_they_stood(env: Environment) -> None:
    run = await env.client.start(Shift.run, Plan(names=["a", "b", "c"]), id=env.id())

    assert await run.result() == [[f"{name}{lap}" for lap in range(8)] for name in "abc"]
    runs = await chain(env, run)
    assert len(runs) > 3
    scheduled = [name for one in runs for name in await activities_of(one)]
    assert len(scheduled) == len(set(scheduled)) == 3 * 8 + 1
    for one in runs:
        await assert_replays(one, app)

    progress = await runs[-1].progress()
    moves = Counter(one.machine for one in progress.transitions)
    assert moves == {"Laps": 17, "Laps#2": 17, "Laps#3": 17}
    assert progress.moves == 3 * 17


async def test_values_that_are_handed_on_go_along_and_an_end_acts_once(env: Environment) -> None:
    run = await env.client.start(Race.run, ["ana", "bo"], id=env.id())

    laps = [f"{'bo' if lap % 2 else 'ana'}{lap}" for lap in range(1, 9)]
    assert await run.result() == [*laps, "ana wins"] * 2
    runs = await chain(env, run)
    assert len(runs) > 1
    scheduled = [name for one in runs for name in await activities_of(one)]
    assert sum(name.startswith("done") for name in scheduled) == 2
    for one in runs:
        await assert_replays(one, app)


async def test_a_loop_has_its_end_in_a_later_run_too(env: Environment) -> None:
    run = await env.client.start(Shift.run, Plan(names=["a"], laps=11), id=env.id())

    with pytest.raises(RunNotCompleted, match="state 'work' may be entered 10 times") as failed:
        await run.result()
    assert isinstance(failed.value.__cause__, TooManyVisits)
    assert len(await chain(env, run)) > 1


async def test_fan_outs_and_answers_that_come_early_go_along(env: Environment) -> None:
    run = await env.client.start(Meeting.run, "tea", id=env.id())
    for number in range(1, 7):
        name = "again" if number == 1 else f"again#{number}"
        await run.handle.signal(DECIDE.name, {"approval": name, "approved": number < 6, "by": "ana"})

    assert await run.result() == [f"tea{lap}0 tea{lap}1" for lap in range(6)]
    runs = await chain(env, run)
    assert len(runs) > 1
    for one in runs:
        await assert_replays(one, app)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("before", ["x", "a9"]),
        ("wait", ["a9"]),
        ("local", ["x", "a9"]),
        ("step", ["a9"]),
        ("call", ["a9", "x"]),
        ("child", ["a9", "x"]),
        ("machines", ["a0", "c9", "b1"]),
    ],
)
async def test_what_else_a_run_does_is_not_done_again(env: Environment, what: str, expected: list[str]) -> None:
    run = await env.client.start(Beside.run, what, id=env.id())

    assert await run.result() == expected
    assert len(await chain(env, run)) == 1
    await assert_replays(run, app)
