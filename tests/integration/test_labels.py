"""Items of a fan-out have the names by which people know them: in steps, summaries, ledger, errors and cost."""

from collections.abc import AsyncIterator

import pytest

from llmflow.client import Run
from llmflow.errors import FanOutFailed, RunNotCompleted
from llmflow.stores.database import Database
from llmflow.stores.reports.costs import cost_report
from llmflow.testing import Environment, ScriptedProvider, activities_of, environment
from llmflow.types.reports import CallFilter
from llmflow.types.steps import ItemFailure
from tests.integration.claimed import Claim, Claims, Sums, app


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("labels") / "llmflow.db")


@pytest.fixture(scope="module")
async def env(temporal: str, store: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider(lambda _: "noted"), address=temporal, store=store) as opened:
        yield opened


def claims(*amounts: int) -> list[Claim]:
    return [Claim(number=str(1000 + index), amount=amount) for index, amount in enumerate(amounts)]


async def summaries(run: Run[int]) -> list[str]:
    events = (await run.handle.fetch_history()).events
    return [event.user_metadata.summary.data.decode() for event in events if event.user_metadata.summary.data]


async def test_the_label_of_an_item_is_wherever_it_is_worked_on(env: Environment, store: str) -> None:
    run = await env.client.start(Claims.run, args=[claims(3, 2000, 10), 0], id=env.id())
    assert await run.result() == 13

    assert sorted(await activities_of(run)) == [
        "settle[0]/settle/complete#1",
        "settle[0]/settle/pay#1",
        "settle[1]/settle/pay#1",
        "settle[2]/settle/pay#1",
    ]
    assert sorted(await summaries(run)) == [
        '"C-1000: claims/word → scripted:fast"',
        '"C-1000: number=1000, amount=3"',
        '"C-1001: number=1001, amount=2000"',
        '"C-1002: number=1002, amount=10"',
    ]
    steps = {step.path: step for step in await run.steps()}
    assert [steps[f"settle[{n}]/settle"].label for n in range(3)] == ["C-1000", "C-1001", "C-1002"]
    outer = steps["settle"]
    assert (outer.done, outer.failed, outer.causes) == (3, 1, {"ToolRefused": 1})
    assert outer.failures == (ItemFailure(index=1, label="C-1001", error="ToolRefused: 2000 is too much"),)
    async with Database(store) as database:
        report = await cost_report(database, CallFilter(run=run.id), ("item", "workflow"))
    assert [row.key for row in report.rows] == [
        {"item": "C-1000", "workflow": "Claims"},
        {"item": "C-1000", "workflow": "Note"},
    ]


async def test_failures_are_counted_by_class_and_named_by_label(env: Environment) -> None:
    run = await env.client.start(Claims.run, args=[claims(*[-1] * 9, 2000, 3000, 10), 6], id=env.id())
    with pytest.raises(RunNotCompleted) as failed:
        await run.result()
    error = failed.value.__cause__
    assert isinstance(error, FanOutFailed)
    assert error.message.startswith("7 of 12 items failed (7 InputInvalid), but 6 must succeed; settle[0] C-1000: ")
    assert len(error.detail.failures) == 7


async def test_batches_have_the_labels_of_their_items(env: Environment) -> None:
    run = await env.client.start(Claims.run, args=[claims(*[0] * 497, -1, 2000, 8, 10), 0], id=env.id())
    assert await run.result() == 18
    [step] = await run.steps()
    assert step.causes == {"InputInvalid": 1, "ToolRefused": 1}
    assert step.failures == (
        ItemFailure(index=497, label="C-1497", error="InputInvalid: a claim has an amount"),
        ItemFailure(index=498, label="C-1498", error="ToolRefused: 2000 is too much"),
    )


@pytest.mark.parametrize(
    ("amounts", "result"),
    [((1, -1, 2, 3, -1), "1+C-1001?+2+3+C-1004?"), ((-1, 5), "5+C-1000?"), ((5,), "5")],
)
async def test_the_reducer_learns_which_items_failed(env: Environment, amounts: tuple[int, ...], result: str) -> None:
    run = await env.client.start(Sums.run, claims(*amounts), id=env.id())
    assert await run.result() == result
