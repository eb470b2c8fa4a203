"""A fork takes what the run before it has recorded, and pays only for what is new."""

import asyncio
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.client import (
    Client,
    FetchWorkflowHistoryEventsInput,
    Interceptor,
    OutboundInterceptor,
    WorkflowHistoryEventAsyncIterator,
)
from temporalio.testing import ActivityEnvironment

from llmflow.activities.forks.histories import KEPT_BYTES, Histories
from llmflow.client import Run
from llmflow.errors import (
    InputInvalid,
    PromptNotFound,
    RequestRejected,
    RunExists,
    RunNotCompleted,
    RunNotFound,
    StepNotFound,
)
from llmflow.prompts.files import load_prompts
from llmflow.stores.database import Database
from llmflow.stores.prompts.changes import NONE, Reason
from llmflow.stores.prompts.labels import Labels
from llmflow.stores.prompts.registry import Registry
from llmflow.stores.reports.costs import cost_report
from llmflow.stores.schema import calls
from llmflow.testing import Environment, ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.budgets import Budget
from llmflow.types.forks import Fork, Hop
from llmflow.types.models import ModelRequest
from llmflow.types.reports import CallFilter
from tests.integration.forking.app import app
from tests.integration.forking.schemas import Order
from tests.integration.forking.tools import published
from tests.integration.forking.workflows import Article

BUDGET = Budget(usd=Decimal(9), unpriced="allow")
ORDER = Order(topic="tea")
PLAN, NOTES, WRITE = ["Plan tea."], ["Note a", "Note b", "Note c"], ["Write", "Write"]


class Model:
    """Answers by what it is asked, so that whoever asks the same gets the same."""

    def __init__(self) -> None:
        self.broken = False
        self.provider = ScriptedProvider(self._answer)

    def _answer(self, request: ModelRequest) -> str:
        said = request.messages[-1].text.strip()
        if self.broken and said.startswith("Write"):
            raise RequestRejected("out of order")
        return f"({request.model}: {said})"

    def asked(self) -> list[str]:
        """The beginnings of all questions since the last look, in alphabetical order."""
        asked = sorted(" ".join(one.messages[-1].text.split()[:2]) for one in self.provider.requests)
        self.provider.requests.clear()
        return ["Write" if one.startswith("Write") else one for one in asked]


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


@pytest.fixture(scope="module")
async def env(temporal: str, model: Model) -> AsyncIterator[Environment]:
    async with environment(app, model.provider, address=temporal) as env:
        yield env


@pytest.fixture(scope="module")
async def article(env: Environment, model: Model) -> Run[str]:
    """A run that has ended well."""
    published.clear()
    run = await env.client.start(Article.run, ORDER, id=env.id(), tags=["first"], tenant="acme", budget=BUDGET)
    await run.result()
    assert model.asked() == [*NOTES, *PLAN, *WRITE]
    assert published == [await run.result(), "prose"]
    return run


async def test_only_what_follows_is_paid(env: Environment, model: Model, article: Run[str]) -> None:
    published.clear()
    fork = await article.fork("publish/publish#2")
    assert await fork.result() == await article.result()
    assert model.asked() == []
    assert published == ["prose"], "what came before it had its effect once"

    usage = await fork.usage()
    assert (usage.taken.calls, usage.total.calls) == (4, 0), "what a child took is in the child's own totals"
    assert {name.partition("@")[0] for name in usage.taken_by_prompt} == {"forking/plan", "forking/note"}
    assert sorted(await activities_of(fork)) == sorted(await activities_of(article)), "it looks like any other run"
    assert await _in_ledger(env, root=fork) == (0, 6), "with the child's"
    await assert_replays(fork, app)


class Reads(Interceptor):
    """Reads of histories by a client: the workflow ids."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Reading(next, self)


class _Reading(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, reads: Reads) -> None:
        super().__init__(next)
        self._reads = reads

    def fetch_workflow_history_events(
        self, input: FetchWorkflowHistoryEventsInput
    ) -> WorkflowHistoryEventAsyncIterator:
        self._reads.ids.append(input.id)
        return super().fetch_workflow_history_events(input)


@pytest.mark.parametrize(("kept", "times"), [(KEPT_BYTES, 1), (0, 3)])
async def test_a_history_is_read_once_while_there_is_room(
    temporal: str, env: Environment, article: Run[str], kept: int, times: int
) -> None:
    reads, histories = Reads(), Histories(kept=kept)
    client = await Client.connect(temporal, data_converter=env.client.temporal.data_converter, interceptors=[reads])
    run_id = (await article.status()).run_id
    fork = Fork(workflow_id=article.id, run_id=run_id, before=sys.maxsize, children=(Hop(place="Write#1"),))
    async with histories.serving(client):
        for _ in range(3):
            sources = await asyncio.gather(*(ActivityEnvironment().run(histories.sources, fork) for _ in range(2)))
            assert [source.run.workflow_type for found in sources for source in found] == ["Write", "Write"]
    assert reads.ids.count(article.id) == times
    assert len(set(reads.ids)) == 2, "of the run, and of its child"
    assert len(reads.ids) == 2 * times


async def test_it_is_for_whom_the_first_one_was(article: Run[str]) -> None:
    fork = await article.fork("publish")
    await fork.result()
    assert fork.id.startswith(f"{article.id}-fork-")
    status = await fork.status()
    assert (status.tags, status.workflow) == (("first",), "Article")
    described = await fork.handle.describe()
    assert await described.memo_value("llmflow.tenant") == "acme"
    assert (await described.memo_value("llmflow.fork"))["workflow_id"] == article.id
    assert described.raw_description.execution_config.user_metadata.summary.data.decode().startswith('"fork of')

    other = await article.fork("publish", tags=["second"])
    assert (await other.status()).tags == ("second",)
    await other.result()


async def test_from_a_call_inside_of_a_step(model: Model, article: Run[str]) -> None:
    fork = await article.fork("notes/b")
    await fork.result()
    assert model.asked() == ["Note b", "Note c", *WRITE], "also what was begun after it"


async def test_from_a_child(env: Environment, model: Model, article: Run[str]) -> None:
    fork = await article.fork("Write")
    await fork.result()
    assert model.asked() == WRITE
    await assert_replays(fork, app)
    assert (await fork.usage()).total.calls == 0
    whole = await fork.tree_usage()
    assert (whole.taken.calls, whole.total.calls) == (4, 2), "with what the child was paid"
    assert await _in_ledger(env, root=fork) == (2, 4)
    assert env.client.store
    async with Database(env.client.store) as database:
        query = select(calls.c.fork_of).distinct().where(calls.c.root_id == fork.id)
        forked = await database.read(lambda connection: connection.scalars(query).all())
    assert forked == [article.id], "of all calls, those of children included"


async def test_another_input_pays_for_what_depends_on_it(model: Model, article: Run[str]) -> None:
    fork = await article.fork("publish", input=Order(topic="tea", style="verse"))
    assert "in verse" in await fork.result()
    assert model.asked() == WRITE, "the plan and the notes do not depend on the style, and the child's calls do"

    fork = await article.fork("publish", input=Order(topic="tea", parts=("a", "x", "c")))
    await fork.result()
    assert model.asked() == ["Note x", *WRITE]


async def test_an_input_of_another_shape_starts_nothing(env: Environment, article: Run[str]) -> None:
    id = env.id()
    with pytest.raises(InputInvalid, match="Article does not take this input: the value does not fit Order: topic: "):
        await article.fork("publish", id=id, input={"style": "verse"})
    with pytest.raises(RunNotFound):
        await env.client.run(id).status()


async def test_another_model(model: Model, article: Run[str]) -> None:
    fork = await article.fork("publish", models={"fast": "quick"})
    assert "(quick: Note a" in await fork.result()
    assert model.asked() == [*NOTES, *WRITE]


async def test_a_failed_run_goes_on_where_it_failed(env: Environment, model: Model) -> None:
    model.broken = True
    run = await env.client.start(Article.run, ORDER, id=env.id())
    with pytest.raises(RunNotCompleted, match=r"RequestRejected: out of order \(in its child "):
        await run.result()
    assert model.asked() == [*NOTES, *PLAN, "Write"]

    model.broken = False
    fork = await run.fork("Write")
    assert (await fork.result()).startswith("(smart: Write")
    assert model.asked() == WRITE


async def test_a_fork_of_a_fork_takes_what_that_one_took(model: Model, article: Run[str]) -> None:
    fork = await article.fork("publish", input=Order(topic="tea", style="verse"))
    await fork.result()
    assert model.asked() == WRITE
    again = await fork.fork("publish")
    assert await again.result() == await fork.result()
    assert model.asked() == []
    assert (await again.usage()).taken.calls == 4


async def test_the_same_fork_is_started_once(env: Environment, article: Run[str]) -> None:
    id = env.id()
    first, second = await article.fork("publish", id=id), await article.fork("publish", id=id)
    assert await first.result() == await second.result()
    assert (await first.status()).run_id == (await second.status()).run_id
    for taken in (id, article.id):
        with pytest.raises(RunExists, match="choose another id"):
            await article.fork("plan", id=taken)
    with pytest.raises(RunExists, match="choose another id"):
        await article.fork("publish", id=id, input=Order(topic="coffee"))


async def test_an_unknown_step(article: Run[str]) -> None:
    with pytest.raises(StepNotFound, match=r"did you mean `notes`\?\). It has: plan, notes, Write#1, publish"):
        await article.fork("ntes")
    with pytest.raises(StepNotFound, match="did you mean `notes/c/complete#1`"):
        await article.fork("notes/c/complet#1")


async def test_a_label_that_moved_changes_nothing_until_it_is_named(
    env: Environment, model: Model, article: Run[str], tmp_path: Path
) -> None:
    version = await _serve(env, tmp_path, "Jot down {{ about }}.")
    fork = await article.fork("publish")
    await fork.result()
    assert model.asked() == [], "the label is for new runs"

    jotted = ["Jot down"] * 3
    for word, expected in (("production", jotted), (version[:8], jotted), ("file", [])):
        fork = await article.fork("publish", prompts={"forking/note": word})
        await fork.result()
        assert model.asked() == [*expected, *(WRITE if expected else [])]
    await _serve_no_more(env)


@pytest.mark.parametrize(
    ("prompts", "said"),
    [
        ({"forking/note": "beta"}, "has no label `beta`"),
        ({"forking/note": "0123"}, "the store has no version `0123`"),
    ],
)
async def test_a_version_that_is_not_there_fails_the_fork_at_once(
    model: Model, article: Run[str], prompts: dict[str, str], said: str
) -> None:
    fork = await article.fork("publish", prompts=prompts)
    with pytest.raises(RunNotCompleted, match=said) as failed:
        await fork.result()
    assert "PromptNotFound" in str(failed.value) or "PromptVersionMissing" in str(failed.value)
    assert model.asked() == []


async def test_a_misspelt_prompt_starts_nothing(env: Environment, article: Run[str]) -> None:
    id = env.id()
    for name in ("forking/nite", "forkng/note"):
        with pytest.raises(PromptNotFound, match="did you mean `forking/note`"):
            await article.fork("publish", id=id, prompts={name: "file"})
    with pytest.raises(PromptNotFound, match="knows no prompt `forking/other`"):
        await article.fork("publish", id=id, prompts={"forking/other": "file"})
    with pytest.raises(RunNotFound):
        await env.client.run(id).status()


async def _serve(env: Environment, folder: Path, text: str) -> str:
    """Store another version of a prompt, and let the label point to it."""
    (folder / "note.prompt").write_text(f"---\nmodel: fast\n---\nuser:\n{text}\n")
    assert env.client.store
    async with Database(env.client.store) as database:
        [ref] = await Registry(database, load_prompts(folder, "forking")).push("ana")
        await Labels(database).move(ref.name, "production", ref.version, Reason(by="ana"))
    return ref.version


async def _serve_no_more(env: Environment) -> None:
    assert env.client.store
    async with Database(env.client.store) as database:
        await Labels(database).move("forking/note", "production", NONE, Reason(by="ana"))


async def _in_ledger(env: Environment, *, root: Run[Any]) -> tuple[int, int]:  # Any: runs with results of every type
    """Return how many answers were paid, and how many were reused."""
    assert env.client.store
    async with Database(env.client.store) as database:
        total = (await cost_report(database, CallFilter(run=root.id), ())).total
        return total.calls, total.reused_calls
