"""`llmflow cost` agrees with the histories, to the last trillionth; and scores of real runs."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.worker import Worker

from llmflow.client import Client, Run, connect
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid, ContextTooLong, RateLimited, RequestRejected, RunNotCompleted, RunNotFound
from llmflow.providers.models.catalogue import load_model_catalogue
from llmflow.stores.database import Database
from llmflow.stores.reports.comparison import compare
from llmflow.testing import ScriptedProvider
from llmflow.testing.provider import ScriptedAnswer
from llmflow.types.completions import CompletionResult
from llmflow.types.models import FinishReason, ModelRequest, ModelResponse
from llmflow.types.reports import CallFilter
from llmflow.types.usage import Totals, Usage
from llmflow.worker import LLMFlowPlugin
from tests.helpers.command_line import environ, finished
from tests.helpers.ledger import call_of, keep
from tests.integration.conftest import Hello
from tests.integration.hello.app import HERE, app
from tests.integration.hello.schemas import Ask, Greeting
from tests.integration.hello.workflows import Asked, Parallel, Typed

WARM = Greeting(text="hello", warmth=7)


def said(
    text: str = "hello", *, usd: str | None = None, model: str = "gpt-5.4", why: FinishReason = "stop"
) -> ModelResponse:
    usage = Usage(input_tokens=1234, output_tokens=567, cache_read_tokens=89, reasoning_tokens=5)
    reported = Decimal(usd) if usd else None
    return ModelResponse(text=text, model=model, usage=usage, finish_reason=why, reported_usd=reported)


def script() -> dict[str, Iterator[ScriptedAnswer]]:
    """By the name that is greeted."""
    answers: dict[str, list[ScriptedAnswer]] = {
        "listed": [said()],
        "vendor": [said(usd="0.012345678901")],
        "again": [RateLimited("slow down"), said(usd="0.1")],
        "fallback": [ContextTooLong("too long"), said(usd="0.2", model="gpt-second")],
        "unpriced": [said(model="a-model-of-nobody")],
        "reasked": [said("no JSON", usd="0.3"), said(WARM.model_dump_json(), usd="0.4")],
        "refused": [said("I will not", usd="0.5", why="refused"), said("nor I", usd="0.6", why="refused")],
        "failed": [RequestRejected("no")],
        **{f"child-{n}": [said(usd="0.000000000001")] for n in range(5)},
    }
    return {name: iter(given) for name, given in answers.items()}


@asynccontextmanager
async def serving(temporal: str, home: Path) -> AsyncGenerator[Client]:
    """The App of the tests with its own models.yaml, where `smart` has a second candidate."""
    answers = script()

    def answer(request: ModelRequest) -> ScriptedAnswer:
        return next(answers[request.messages[-1].text.removeprefix("Greet ").rstrip(".")])

    settings, scripted = (
        Settings(home=home, store=str(home / "llmflow.db")),
        ScriptedProvider(lambda request: answer(original(request))),
    )
    models = load_model_catalogue(HERE / "models.yaml")
    plugin = LLMFlowPlugin(app, settings=settings, models=models, providers={"openai": scripted})
    client = await connect(address=temporal, store=settings.store_url, plugin=plugin)
    queue = f"cost-{uuid4()}"
    async with Worker(client.temporal, task_queue=queue, workflows=app.workflows):
        yield Client(client.temporal, queue, client.store)


def original(request: ModelRequest) -> ModelRequest:
    """Without the answer that is being re-asked."""
    return request.model_copy(update={"messages": request.messages[:2]})


async def ended(run: Run[Any]) -> Run[Any]:
    with suppress(RunNotCompleted):
        await run.result()
    return run


async def frozen(client: Client, run: Run[Any]) -> Totals:
    """The sum of the records in the run's history: of what Temporal keeps, and nobody can change."""
    history = await run.handle.fetch_history()
    total, types = Totals(), dict[int, str]()
    for event in history.events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            types[event.event_id] = event.activity_task_scheduled_event_attributes.activity_type.name
        elif event.HasField("activity_task_completed_event_attributes"):
            completed = event.activity_task_completed_event_attributes
            if types[completed.scheduled_event_id] == "llmflow.complete":
                [result] = await client.temporal.data_converter.decode(completed.result.payloads, [CompletionResult])
                total = total.plus(result.usage, result.cost)
    return total


async def test_the_ledger_agrees_with_the_histories(temporal: str, tmp_path: Path) -> None:
    async with serving(temporal, tmp_path) as client:

        async def asked(name: str) -> Run[Any]:
            ask = Ask(model="smart", variables={"name": name}, attempts=2)
            return await ended(await client.start(Asked.run, ask, id=f"{name}-{uuid4()}", tags=["one", "two"]))

        async def typed() -> Run[Any]:
            return await ended(await client.start(Typed.run, "reasked", id=f"reasked-{uuid4()}"))

        async def parallel() -> Run[Any]:
            names = [f"child-{n}" for n in range(5)]
            return await ended(await client.start(Parallel.run, names, id=f"parallel-{uuid4()}"))

        names = ("listed", "vendor", "again", "fallback", "unpriced", "refused", "failed")
        runs = await asyncio.gather(*(asked(name) for name in names), typed(), parallel())
        records = {run.id: await frozen(client, run) for run in runs}

    async def cost(*options: str) -> Any:
        env = environ(LLMFLOW_HOME=str(tmp_path))
        return (await finished("cost", "--json", *options, cwd=tmp_path, env=env)).json()

    by_run = await cost("--by", "run")
    assert {row["key"]["run"]: Decimal(row["usd"]) for row in by_run["rows"]} == {
        id: record.usd for id, record in records.items()
    }
    assert {row["key"]["run"]: row["unpriced_calls"] for row in by_run["rows"]} == {
        id: record.unpriced_calls for id, record in records.items()
    }
    whole = sum((record.usd for record in records.values()), Decimal(0))
    tokens = sum((record.usage for record in records.values()), Usage())
    assert whole > Decimal("1.6"), "of a listed price, and of those that the vendor reported"
    for by in ("model", "prompt,day", "tag", "workflow,tenant"):
        total = (await cost("--by", by))["total"]
        assert Decimal(total["usd"]) == whole
        assert total["usage"] == {name: getattr(tokens, name) for name in Usage.model_fields}
        assert total["calls"] == sum(record.calls for record in records.values())
        assert total["unpriced_calls"] == 1
        assert total["failed_calls"] == 3, "one was retried, one fell over, one was rejected"


async def test_a_run_is_scored_now_and_when_temporal_has_forgotten_it(hello: Hello) -> None:
    async with hello(ScriptedProvider([WARM])) as env:
        run = await env.client.start(Typed.run, "ana", id=env.id())
        await run.result()
        now = await run.score("helpful", 0.4, by="ana")
        assert (now.run, now.name, now.value, now.by) == (run.id, "helpful", 0.4, "ana")

        assert env.client.store
        async with Database(env.client.store) as database:
            version = (await compare(database, "hello/greet", CallFilter())).rows[0].key
            await keep(
                database, call_of("long-ago", version=version), call_of("child", root="long-ago", version=version)
            )
            await env.client.run("long-ago").score("helpful", 0.6, comment="still")
            child = await env.client.run("child").score("helpful", 0.8, by="ben")
            assert child.run == "long-ago", "which began the tree"
            [row] = (await compare(database, "hello/greet", CallFilter())).rows
            assert (row.scores["helpful"].n, row.scores["helpful"].value) == (2, pytest.approx(0.55))


async def test_score_on_the_command_line(hello: Hello, temporal: str, tmp_path: Path) -> None:
    async with hello(ScriptedProvider([WARM])) as env:
        run = await env.client.start(Typed.run, "ana", id=env.id())
        await run.result()
        variables = environ(TEMPORAL_ADDRESS=temporal, LLMFLOW_STORE=str(env.client.store), LLMFLOW_BY="ana")

        kept = (await finished("score", run.id, "helpful", "0.9", "--json", cwd=tmp_path, env=variables)).json()
        assert (kept["run"], kept["value"], kept["by"], kept["comment"]) == (run.id, 0.9, "ana", None)

        nobody = await finished("score", "nobody", "helpful", "1", cwd=tmp_path, env=variables)
        assert (nobody.code, nobody.out) == (4, "")
        assert "there is no run 'nobody'" in nobody.err


async def test_a_run_without_a_call_is_scored_by_what_temporal_knows(hello: Hello) -> None:
    async with hello(ScriptedProvider([])) as env, Database(str(env.client.store)):  # which makes it
        run = await env.client.start(Typed.run, "ana", id=env.id(), task_queue="nobody-serves-this")
        assert (await run.score("helpful", 1)).run == run.id
        await run.terminate("the test is over")


async def test_a_run_that_nobody_knows_cannot_be_scored(hello: Hello) -> None:
    async with hello(ScriptedProvider([])) as env, Database(str(env.client.store)):
        with pytest.raises(RunNotFound, match=r"no run 'nobody'"):
            await env.client.run("nobody").score("helpful", 1)


async def test_a_score_makes_no_store(temporal: str, tmp_path: Path) -> None:
    elsewhere = Client((await connect(address=temporal)).temporal, store=str(tmp_path / "new.db"))
    with pytest.raises(ConfigInvalid, match="there is no store at"):
        await elsewhere.run("nobody").score("helpful", 1)
    assert list(tmp_path.iterdir()) == []


async def test_a_client_without_a_store_keeps_no_scores(temporal: str) -> None:
    bare = Client((await connect(address=temporal)).temporal)
    with pytest.raises(ConfigInvalid, match="LLMFLOW_STORE"):
        await bare.run("nobody").score("helpful", 1)
