"""Commands about runs, on a real server with a real worker: what they print, and how they end."""

import asyncio
import json
import re
import signal
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from llmflow.testing import ScriptedProvider, environment
from tests.helpers.command_line import ROOT, Done, call, environ, started, working
from tests.helpers.hasty import server_with
from tests.helpers.waiting import until
from tests.integration.errands import SayLater, app

APP = "tests.integration.errands:app"

Call = Callable[..., Done]


@pytest.fixture(scope="module")
def served(temporal: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Output of `llmflow worker` when it started to serve."""
    with working(APP, TEMPORAL_ADDRESS=temporal) as said:
        yield said


@pytest.fixture
def llmflow(temporal: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """A command line that means the server of the tests, here in this process."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path))
    return lambda *arguments: call(capsys, *arguments)


def test_a_worker_says_what_it_serves(served: str) -> None:
    lines = [line.split() for line in served.splitlines()]
    assert ["workflows", "Break"] in lines
    assert any(line[:1] == ["prompts"] and line[1].startswith("errands/greet@") for line in lines)
    assert ["smart", "offline:smart"] in [line[-2:] for line in lines]
    assert "NO LANGUAGE MODEL" in served
    assert "\x1b" not in served, "no colours where there is no terminal"


async def test_a_worker_says_so_in_json(temporal: str, tmp_path: Path) -> None:
    env = environ(TEMPORAL_ADDRESS=temporal, LLMFLOW_MODELS="offline")
    options = ("--json", "--grace", "1s", "--task-queue", "as-json")
    async with started("worker", "--app", APP, *options, cwd=tmp_path, env=env) as worker:
        await worker.says("Ctrl-C stops it")
        said = (await worker.done(signal.SIGTERM)).json()
    assert (said["app"], said["task_queues"], said["address"]) == ("errands", ["as-json"], temporal)
    assert (said["workflows"], said["tools"]) == (["Break", "Greet", "Nap", "Say", "SayLater"], [])
    [greet] = [prompt for prompt in said["prompts"] if prompt["name"] == "errands/greet"]
    assert (greet["model"], len(greet["version"])) == ("smart", 12)
    assert {"name": "smart", "candidates": ["offline:smart"], "missing": [], "offline": True} in said["models"]


def test_the_life_of_a_run(llmflow: Call, served: str) -> None:
    begun = llmflow(
        "start", "--app", APP, "Greet", "--input", '{"who": "ana", "times": 2}', "--tag", "a", "--wait", "--json"
    ).json()
    id = begun["id"]
    assert id.startswith("errands-")
    assert begun["new"] is True
    assert begun["task_queue"] == "errands"
    assert len(begun["result"]["texts"]) == 2

    status = llmflow("status", id, "--json").json()
    assert status["status"]["state"] == "completed"
    assert status["status"]["run_id"] == begun["run_id"]
    assert status["status"]["tags"] == ["a"]
    assert [step["path"] for step in status["steps"]] == ["greet", "greet/ask", "greet/ask#2"]
    assert (status["steps"][0]["done"], status["steps"][0]["total"]) == (2, 2)
    assert status["usage"]["total"]["calls"] == 2
    assert status["failure"] is status["missing"] is None

    usage = llmflow("usage", id, "--json").json()
    assert usage == status["usage"]
    assert list(usage["by_model"]) == ["offline:extractive"]
    assert [name.partition("@")[0] for name in usage["by_prompt"]] == ["errands/greet"]

    assert llmflow("result", id, "--json").json() == begun["result"]


def test_what_people_see_of_it(llmflow: Call, served: str) -> None:
    started = llmflow("start", "--app", APP, "Greet", "--input", '{"who": "bob"}', "--id", "bob-1")
    assert (started.code, started.out) == (0, "")
    assert started.err.splitlines()[:2] == ["started bob-1", "  watch   llmflow status bob-1 --watch"]

    watched = llmflow("status", "bob-1", "--watch")
    assert "bob-1  ✓ completed" in watched.out
    assert "    ✓ ask" in watched.out
    assert "1 model call · " in watched.out
    assert all(line.startswith("running") for line in watched.err.splitlines())  # while it ran, if it still did

    again = llmflow("start", "--app", APP, "Greet", "--input", '{"who": "bob", "times": 1}', "--id", "bob-1")
    assert again.err.startswith("bob-1 exists, nothing was started: it is ✓ completed")
    assert again.code == 0
    for other, said in (
        (
            ("Greet", "--input", '{"who": "eve"}'),
            "run 'bob-1' exists already (completed), and began with another input",
        ),
        (("Say", "--input", '"x"', "--wait"), "run 'bob-1' exists already and is of Greet, not of Say"),
        (("Nap",), "run 'bob-1' exists already and is of Greet, not of Nap"),
    ):
        refused = llmflow("start", "--app", APP, *other, "--id", "bob-1")
        assert (refused.code, refused.out) == (2, "")
        assert refused.err.startswith(f"error: {said}"), "and nothing of the other run is shown as a result"

    usage = llmflow("usage", "bob-1")
    assert usage.out.split()[:3] == ["calls", "tokens", "in"]
    assert "  errands/greet@" in usage.out
    assert usage.out.splitlines()[-1].startswith("total")


def test_a_result_that_is_a_text(llmflow: Call, served: str) -> None:
    text = "über [bold]\n" + "x" * 300
    llmflow("start", "--app", APP, "Say", "--input", f'"{text[:11]}\\n{text[12:]}"', "--id", "say-1")
    assert llmflow("result", "say-1").out == f"{text}\n"
    assert llmflow("result", "say-1", "--json").json() == text
    assert llmflow("usage", "say-1").err == "no model has answered in this run\n"


def test_a_run_that_fails(llmflow: Call, served: str) -> None:
    waited = llmflow("start", "--app", APP, "Break", "--input", '"too heavy"', "--id", "break-1", "--wait")
    assert (waited.code, waited.out) == (1, "")

    result = llmflow("result", "break-1")
    assert (result.code, result.out) == (1, "")
    assert result.err == "error: run 'break-1' failed: Broken: too heavy\n"

    failure = "run 'break-1' failed: Broken: too heavy"
    again = llmflow("start", "--app", APP, "Break", "--input", '"too heavy"', "--id", "break-1", "--wait", "--json")
    for done in (llmflow("result", "break-1", "--json"), again):
        assert done.code == 1
        said = json.loads(done.out)
        assert (said["id"], said["state"], said["failure"]) == ("break-1", "failed", failure)
        assert said["run_id"]

    steps = llmflow("steps", "break-1")
    assert steps.out.splitlines()[-1] == failure
    assert llmflow("steps", "break-1", "--json").json()["failure"] == failure

    status = llmflow("status", "break-1")
    assert status.code == 0
    assert "break-1  ✗ failed" in status.out
    assert "run 'break-1' failed: Broken: too heavy" in status.out
    assert "✗ lift" in status.out


def test_a_run_that_lasts(llmflow: Call, served: str) -> None:
    llmflow("start", "--app", APP, "Nap", "--id", "nap-1")

    running = llmflow("status", "nap-1")
    assert "nap-1  ● running" in running.out
    assert "● nap" in running.out

    waited = llmflow("result", "nap-1", "--timeout", "0.2s")
    assert (waited.code, waited.out) == (124, "")
    assert "has not ended yet" in waited.err

    assert llmflow("cancel", "nap-1", "--json").json()["id"] == "nap-1"
    ended = llmflow("status", "nap-1", "--watch", "--json").json()
    assert ended["status"]["state"] == "cancelled"
    assert ended["failure"] == "run 'nap-1' was cancelled"
    assert ended["steps"][0]["status"] == "cancelled"
    assert llmflow("result", "nap-1").code == 1


def test_a_run_that_begins_later(llmflow: Call, served: str) -> None:
    options = ("--delay", "2h", "--tenant", "acme", "--user", "ana", "--budget", "0.5")
    llmflow("start", "--app", APP, "Nap", "--id", "later-1", *options)
    one, known = llmflow("status", "later-1"), llmflow("status", "later-1", "--json").json()["status"]
    llmflow("cancel", "later-1")
    began, begins = (datetime.fromisoformat(known[name]) for name in ("started_at", "begins_at"))
    assert begins - began == timedelta(hours=2)
    assert re.search(rf", begins at .*{begins.astimezone():%H:%M}.* · 1 event", one.out)  # a date if it is tomorrow
    assert "tenant acme · user ana · budget $0.50" in one.out
    assert (known["tenant"], known["user"], known["budget"]["usd"]) == ("acme", "ana", "0.5")


def test_two_runs_apart(llmflow: Call, served: str) -> None:
    for id, who in (("apart-1", "ana"), ("apart-2", "eve")):
        llmflow(
            "start",
            "--app",
            APP,
            "Greet",
            "--input",
            json.dumps({"who": who, "times": 1}),
            "--id",
            id,
            "--wait",
            "--json",
        )
    _, _, inputs = llmflow("compare", "apart-1", "apart-2").out.partition("\ninput\n")
    inputs, _, _ = inputs.partition("output\n")
    [line] = [line for line in inputs.splitlines() if "≠" in line]
    assert line.replace("│", "").split() == ['"who":', '"ana",', "≠", '"who":', '"eve",']
    assert "times" not in inputs, "which both have"

    found = llmflow("compare", "apart-1", "apart-2", "--json").json()
    assert [one["input"] for one in found["runs"]] == [{"who": "ana", "times": 1}, {"who": "eve", "times": 1}]
    assert found["same_input"] is False
    same = llmflow("compare", "apart-1", "apart-1")
    assert "\nthe same input\n{" in same.out
    assert "≠" not in same.out


async def test_two_runs_whose_beginning_is_forgotten(llmflow: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a run that has continued for longer than Temporal keeps its first part: no test waits for that."""
    at_once = (f'history.{queue}ProcessorUpdateAckInterval="100ms"' for queue in ("transfer", "timer", "visibility"))
    async with (
        server_with(*at_once) as address,  # others delete a run half a minute after they were told to
        environment(app, ScriptedProvider([]), address=address, replay=False) as env,  # what is gone cannot replay
    ):
        monkeypatch.setenv("TEMPORAL_ADDRESS", address)
        run = await env.client.start(SayLater.run, "x", id="old-1")
        await run.result()
        compare = partial(asyncio.to_thread, llmflow, "compare", "old-1", "old-1")
        assert (await compare("--json")).json()["same_input"] is True
        await forget_the_first_run(env.client.temporal, run.id)

        assert (await compare("--json")).json()["same_input"] is None
        shown = await compare()
    assert "old-1: Temporal no longer has its start" in shown.err
    assert "old-1: Temporal has deleted a history of this run or of a child, so its usage is unknown" in shown.err
    assert "\ninput\n" not in shown.out
    assert "same input" not in shown.out
    assert "the same output" in shown.out


async def forget_the_first_run(client: Client, id: str) -> None:
    """Delete the first run of a continue-as-new chain, and wait until it is gone."""
    known = (await client.get_workflow_handle(id).describe()).raw_description.workflow_execution_info
    first = WorkflowExecution(workflow_id=id, run_id=known.first_run_id)
    await client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=first)
    )

    async def gone() -> bool:
        try:
            await client.get_workflow_handle(id, run_id=known.first_run_id).describe()
        except RPCError as error:
            return error.status is RPCStatusCode.NOT_FOUND
        return False

    await until(gone)


def test_list(llmflow: Call, served: str) -> None:
    for number in range(3):
        llmflow("start", "--app", APP, "Say", "--input", '"x"', "--id", f"list-{number}", "--wait", "--json")
    filters = ("list", "--query", "WorkflowId STARTS_WITH 'list-'")

    def ids(*options: str) -> list[str]:
        return [run["id"] for run in llmflow(*filters, *options, "--json").json()["runs"]]

    assert ids() == ["list-2", "list-1", "list-0"]
    assert ids("--workflow", "Say", "--state", "completed", "--since", "2h") == ids()
    assert ids("--state", "failed") == ids("--since", "2100-01-01") == ids("--workflow", "Nap") == []

    first = llmflow(*filters, "--limit", "2", "--json").json()
    assert [run["id"] for run in first["runs"]] == ["list-2", "list-1"]
    assert ids("--limit", "2", "--cursor", first["cursor"]) == ["list-0"]

    table = llmflow(*filters, "--limit", "1")
    assert table.out.splitlines()[0].split() == ["run", "workflow", "state", "started", "took"]
    assert table.out.splitlines()[1].split()[:4] == ["list-2", "Say", "✓", "completed"]
    assert "more: the same command with --cursor " in table.err
    assert llmflow(*filters, "--state", "failed").err == "no runs\n"
