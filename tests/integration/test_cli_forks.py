"""`llmflow fork` and `llmflow compare`: what they print, and how they end."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest

from llmflow.testing import Environment, ScriptedProvider, environment
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.usage import Usage
from tests.helpers.command_line import Done, call
from tests.helpers.waiting import until
from tests.integration.forking.app import app
from tests.integration.forking.schemas import Order
from tests.integration.forking.workflows import Article

Call = Callable[..., Awaitable[Done]]


def _answer(request: ModelRequest) -> ModelResponse:
    said = f"({request.model}: {request.messages[-1].text.strip()})"
    return ModelResponse(text=said, model="m1", usage=Usage(input_tokens=100), reported_usd=Decimal("0.01"))


@pytest.fixture(scope="module")
async def env(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider(_answer), address=temporal) as env:
        yield env


@pytest.fixture(scope="module")
async def article(env: Environment) -> str:
    """Id of a run that has ended well."""
    run = await env.client.start(Article.run, Order(topic="tea", parts=("a",)), id=env.id())
    await run.result()
    return run.id


@pytest.fixture
def llmflow(temporal: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """A command line that means the server of the tests; in a thread, because the worker is in this one."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path))
    return lambda *arguments: asyncio.to_thread(call, capsys, *arguments)


async def test_a_fork_says_what_it_took_over_and_what_it_paid(llmflow: Call, article: str) -> None:
    done = await llmflow("fork", article, "--from", "publish", "--model", "fast=quick", "--wait")
    assert done.code == 0, done.err
    assert done.err.startswith(f"forked {article} from publish: {article}-fork-")
    assert "reused: 1 model call · 100 tokens in · 0 out · $0.010\npaid: 3 model calls · " in done.err, "with a child"
    assert "(quick: Note a of" in done.out

    again = (
        await llmflow("fork", article, "--from", "publish", "--prompt", "forking/note=file", "--wait", "--json")
    ).json()
    assert (again["source"], again["state"], again["failure"]) == (article, "completed", None)
    assert (again["usage"]["taken"]["calls"], again["usage"]["total"]["calls"]) == (4, 0)

    usage = await llmflow("usage", again["id"])
    assert usage.out.partition("reused from the earlier run")[2].split()[0].startswith("forking/note@")


async def test_another_input_and_a_name(llmflow: Call, env: Environment, article: str, tmp_path: Path) -> None:
    given = tmp_path / "order.json"
    given.write_text('{"topic": "tea", "parts": ["a"], "style": "verse"}')
    id = env.id()
    done = await llmflow("fork", article, "--from", "Write", "--input", f"@{given}", "--id", id, "--tag", "verse")
    assert (done.code, done.out) == (0, "")
    assert f"  compare  llmflow compare {article} {id}" in done.err
    assert "in verse" in str(await env.client.run(id).result())
    assert (await env.client.run(id).status()).tags == ("verse",)


async def test_a_plan_starts_nothing(llmflow: Call, env: Environment, article: str) -> None:
    done = await llmflow("fork", article, "--from", "publish", "--model", "fast=quick", "--plan")
    assert done.code == 0, done.err
    assert done.out.startswith(f"a fork of {article} from publish\n")
    shown = [line.split() for line in done.out.splitlines()]
    assert ["plan", "1", "call", "$0.010"] in shown
    assert ["publish", "2", "calls"] in shown
    bound = "without a budget, no upper bound is known"
    assert f"costs about $0 as in the run, or $0.040 if every answer is asked for again; {bound}" in done.out
    planned = (await llmflow("fork", article, "--from", "Write", "--until", "publish", "--plan", "--json")).json()
    assert [one["step"] for one in planned["executed"]] == ["Write"]
    assert planned["until"] == "publish"

    stopped = await llmflow("fork", article, "--from", "Write", "--until", "publish", "--wait", "--json")
    assert stopped.code == 0, "it ended where it was told to"
    assert (stopped.json()["state"], stopped.json()["failure"]) == ("cancelled", None)
    assert stopped.json()["stopped"]["address"] == "publish/publish#1"
    same = await llmflow("fork", article, "--from", "publish", "--prompt", "forking/note=file", "--wait")
    assert "the run had that version of forking/note already" in same.err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("--prompt", "forking/note=no-such-label"), "PromptVersionMissing: `forking/note` has no label"),
        (("--input", '{"parts": []}'), "failed: InputInvalid: the value does not fit Order: topic"),
    ],
)
async def test_a_fork_that_fails_at_once_is_no_success(
    llmflow: Call, article: str, change: tuple[str, str], said: str
) -> None:
    done = await llmflow("fork", article, "--from", "publish", *change, "--json")
    assert done.code == 1
    assert said in done.err
    forked = json.loads(done.out)
    assert said in forked["failure"]

    assert "not known" not in (await llmflow("status", forked["id"])).out, "also where there was nothing to know"


async def test_several_at_once(llmflow: Call, env: Environment) -> None:
    prefix = env.id()
    for name, topic in (("one", "tea"), ("two", "coffee")):
        await (await env.client.start(Article.run, Order(topic=topic), id=f"{prefix}-{name}")).result()
    await (await env.client.start("Waiting", "tea", id=f"{prefix}-other")).cancel()
    query = f"WorkflowId STARTS_WITH '{prefix}'"

    async def listed() -> bool:
        return len((await env.client.list(query=query)).runs) == 3

    await until(listed)
    done = await llmflow("fork", "--query", query, "--from", "publish", "--wait")
    assert done.code == 1
    lines = sorted(line for line in done.err.splitlines() if line.startswith(prefix))
    assert [line.split()[0] for line in lines] == [f"{prefix}-{name}" for name in ("one", "other", "two")]
    assert "completed  reused: 6 model calls" in lines[0]
    assert "not forked: " in lines[1]
    assert "has no step or call `publish`" in done.err


async def test_two_runs_side_by_side(llmflow: Call, env: Environment, article: str) -> None:
    id = env.id()
    assert (
        await llmflow("fork", article, "--from", "publish", "--model", "fast=quick", "--id", id, "--wait")
    ).code == 0
    done = await llmflow("compare", article, id)
    rows = {line.split("  ")[0].strip() or line.split()[0]: line for line in done.out.splitlines() if line.strip()}
    assert "≠" in rows["paid"]
    assert "1 model call, $0.010" in rows["reused"]
    assert "≠" not in rows["state"]
    assert any("forking/note" in line and "≠" not in line for line in rows.values())
    assert "(quick: Note" in done.out
    assert "≠" in done.out.partition("output")[2]

    found = (await llmflow("compare", article, id, "--json")).json()
    assert [one["report"]["status"]["id"] for one in found["runs"]] == [article, id]
    assert found["same_result"] is False
    assert [one["report"]["usage"]["total"]["calls"] for one in found["runs"]] == [4, 3]
    same = await llmflow("compare", article, article)
    assert "the same output" in same.out
    assert "≠" not in same.out


async def test_runs_without_a_result_have_none_in_common(llmflow: Call, env: Environment) -> None:
    one, other = [await env.client.start("Waiting", "tea", id=env.id()) for _ in range(2)]
    for run in (one, other):
        await run.terminate("enough")
    assert (await llmflow("compare", one.id, other.id, "--json")).json()["same_result"] is False
    assert "the same output" not in (await llmflow("compare", one.id, other.id)).out


async def test_what_nobody_can_tell_is_not_nothing(llmflow: Call, env: Environment, article: str) -> None:
    nobody = await env.client.start("Waiting", "tea", id=env.id(), task_queue=env.id())
    done = await llmflow("compare", article, nobody.id)
    [paid] = [line for line in done.out.splitlines() if line.startswith("paid")]
    assert paid.split() == ["paid", "4", "model", "calls", "?"]
    figures, _, _ = done.out.partition("\nprompts")[2].partition("\ninput")
    assert "forking/note" in figures
    assert "≠" not in figures, "what is not known is no difference"
    await nobody.terminate("nobody ever came")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["RUN", "--from", "pulbish"], 4, "did you mean `publish`?"),
        (["no-such-run", "--from", "publish"], 4, "there is no run 'no-such-run'"),
        (["--from", "publish"], 2, "name one RUN, or several by --query"),
        (["--from", "publish", "--query", "x", "--id", "y"], 2, "leave --id out"),
        (["RUN", "--from", "publish", "--until", "publsh"], 4, "did you mean `publish`?"),
        (["RUN", "--from", "publish", "--prompt", "forking/nite=file"], 4, "did you mean `forking/note`?"),
        (["RUN", "--from", "publish", "--prompt", "x"], 2, "write --prompt research/write=file"),
        (["RUN", "--from", "publish", "--input", "tea"], 2, "--input is not JSON"),
    ],
)
async def test_what_cannot_be_done(llmflow: Call, article: str, arguments: list[str], code: int, said: str) -> None:
    done = await llmflow("fork", *(article if one == "RUN" else one for one in arguments))
    assert done.code == code
    assert said in done.err
