"""An App's own provider, from models.yaml to the ledger: a worker as it is served, on the real server."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest

from llmflow import worker
from llmflow.app import App
from llmflow.client import Client
from llmflow.config import Settings
from llmflow.errors import AnswerUnreadable, ConfigInvalid, RateLimited, RunNotCompleted
from llmflow.stores.database import Database
from llmflow.stores.reports.costs import cost_report
from llmflow.testing import ScriptedProvider, activities_of, assert_replays
from llmflow.types.models import ModelResponse
from llmflow.types.providers import ProviderFactory, ProviderSettings
from llmflow.types.reports import CallFilter
from llmflow.types.steps import Wait
from llmflow.types.usage import Usage
from tests.helpers.waiting import until
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Ask
from tests.integration.hello.workflows import Asked

USED = Usage(input_tokens=1000, output_tokens=100)


def said(text: str, model: str = "large", usd: str | None = None) -> ModelResponse:
    return ModelResponse(text=text, model=model, usage=USED, reported_usd=Decimal(usd) if usd else None)


MODELS = "models: {smart: ['mine:first', 'mine:second'], fast: 'mine:first'}\n"


def with_provider(factory: ProviderFactory, folder: Path, models: str = MODELS) -> App:
    (folder / "models.yaml").write_text(models)
    return replace(app, models=folder / "models.yaml", providers={"mine": factory})


@asynccontextmanager
async def served(app: App, temporal: str, home: Path) -> AsyncGenerator[Client]:
    """Its runs, served by `worker.run`."""
    settings = Settings(home=home, store=None, models=None)
    ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
    stop, queue = asyncio.Event(), f"own-{uuid4()}"
    running = asyncio.create_task(
        worker.run(app, settings=settings, address=temporal, task_queues=[queue], ready=ready.set_result, stop=stop)
    )
    await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        await running
    try:
        yield Client(ready.result().temporal, queue, settings.store_url)
    finally:
        stop.set()
        await running


async def test_its_own_bill_comes_first_then_the_list_and_what_nobody_knows_is_unknown(
    temporal: str, tmp_path: Path
) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text("mine:large: {input: 2, output: 10}\n")
    vendor = ScriptedProvider([said("a", usd="0.25"), said("b"), said("c", model="small")])
    app = replace(with_provider(lambda settings: vendor, tmp_path), prices=prices)
    async with served(app, temporal, tmp_path) as client:
        ids = []
        for name in ("large", "large", "small"):
            run = await client.start(Asked.run, Ask(model=f"mine:{name}"), id=str(uuid4()))
            assert (await run.result())["model"] == f"mine:{name}"
            assert await activities_of(run) == ["complete#1"]
            await assert_replays(run, app)
            ids.append(run.id)
    async with Database(str(tmp_path / "llmflow.db")) as database:
        report = await cost_report(database, CallFilter(), ["run"])
    spent = {row.key["run"]: (row.usd, row.unpriced_calls) for row in report.rows}
    assert [spent[run] for run in ids] == [(Decimal("0.25"), 0), (Decimal("0.003"), 0), (Decimal(0), 1)]


async def test_a_failure_is_retried_or_leads_to_the_next_candidate_and_says_whose_it_is(
    temporal: str, tmp_path: Path
) -> None:
    answers = iter([RateLimited("slow down"), said("retried"), KeyError("choices"), said("next"), KeyError("choices")])

    class Faulty(ScriptedProvider):
        """It has a bug, too."""

        def __init__(self) -> None:
            super().__init__(lambda request: self.next())

        def next(self) -> ModelResponse:
            answer = next(answers)
            if isinstance(answer, Exception):
                raise answer
            return answer

    app = with_provider(lambda settings: Faulty(), tmp_path)
    async with served(app, temporal, tmp_path) as client:
        results: list[tuple[str, str]] = []
        for _ in range(2):
            run = await client.start(Asked.run, Ask(attempts=2), id=str(uuid4()))
            answer = await run.result()
            results.append((answer["text"], answer["id"]))
            await assert_replays(run, app)
        assert results == [("retried", "complete#1"), ("next", "complete#2")]

        run = await client.start(Asked.run, Ask(model="fast", attempts=2), id=str(uuid4()))
        with pytest.raises(RunNotCompleted) as failed:
            await run.result()
        assert isinstance(failed.value.__cause__, AnswerUnreadable)
        assert "mine:first failed: provider 'mine' raised KeyError: 'choices'" in str(failed.value.__cause__)


async def test_limits_of_models_yaml_hold(temporal: str, tmp_path: Path) -> None:
    models = "providers: {mine: {limits: {requests: 1/day}}}\nmodels: {smart: 'mine:a', fast: smart}"
    vendor = ScriptedProvider(lambda request: "yes")
    app = with_provider(lambda settings: vendor, tmp_path, models)
    async with served(app, temporal, tmp_path) as client:
        first = await client.start(Asked.run, Ask(), id=str(uuid4()))
        await first.result()
        second = await client.start(Asked.run, Ask(), id=str(uuid4()))

        async def waits() -> Sequence[Wait]:
            return (await second.progress()).waits

        [wait] = await until(waits)
        assert "LimitReached: mine:a was not asked: 1 requests in 86400 s are used up" in wait.reason
        await second.handle.cancel()
        with pytest.raises(RunNotCompleted):
            await second.result()
    assert len(vendor.requests) == 1


def broken(settings: ProviderSettings) -> ScriptedProvider:
    raise LookupError("no region")


async def test_a_worker_does_not_start_with_what_is_no_provider(temporal: str, tmp_path: Path) -> None:
    app = with_provider(broken, tmp_path)
    with pytest.raises(ConfigInvalid, match="provider 'mine' cannot be made: LookupError: no region"):
        async with served(app, temporal, tmp_path):
            pass
