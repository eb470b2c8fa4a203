"""Workflow code that fails, or that does not fit its runs any more: what the log says, and what each command."""

import signal
import uuid
from pathlib import Path

from temporalio.client import Client as TemporalClient
from temporalio.runtime import MetricBuffer, Runtime, TelemetryConfig

from llmflow.client import Client, connect
from llmflow.service.stuck import stuck_runs
from llmflow.telemetry.metrics import STUCK_RUNS
from llmflow.worker.stuck import counting_stuck_runs
from tests.helpers.command_line import environ, finished, started
from tests.helpers.waiting import until

APP = """
from temporalio import workflow
from llmflow.app import App

@workflow.defn
class Buggy:
    @workflow.run
    async def run(self) -> str:
        return {}["the bug"]

app = App(name="buggy", workflows=[Buggy])
"""
WORKS = """
from temporalio import workflow
from llmflow.app import App

@workflow.defn
class Works:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(0.01)
        return "done"

app = App(name="works", workflows=[Works])
"""


async def test_a_bug_is_in_the_log_and_nowhere_else(temporal: str, tmp_path: Path) -> None:
    (tmp_path / "buggy.py").write_text(APP)
    queue = f"buggy-{uuid.uuid4()}"
    env = environ(TEMPORAL_ADDRESS=temporal, LLMFLOW_MODELS="offline")
    client = await connect(address=temporal)
    run = await Client(client.temporal, queue).start("Buggy", id=queue)
    stranded = await Client(client.temporal, f"{queue}-nobody").start("Buggy", id=f"{queue}-stranded")
    commands = {"status": (queue, "--json"), "steps": (queue,), "list": ("--json",)}
    try:
        async with started(
            "worker", "--app", "buggy:app", "--task-queue", queue, "--json", cwd=tmp_path, env=env
        ) as worker:
            await worker.says("KeyError: 'the bug'")
            await worker.says("Failing workflow task")  # which is what Temporal's core says of it
            await until(lambda: _is_found(temporal, queue))
            assert await _counted(client.temporal, queue) == 1
            look = {name: await finished(name, *more, cwd=tmp_path, env=env) for name, more in commands.items()}
            stuck = await finished(
                "list", "--stuck", "--json", "--workflow", "Buggy", "--limit", "1000", cwd=tmp_path, env=env
            )
            ended = await worker.done(signal.SIGTERM)
    finally:
        await run.terminate("seen enough")
        await stranded.terminate("seen enough")
    reasons = {one["id"]: one["reason"] for one in stuck.json()["runs"]}
    assert reasons[queue] == f"blocked by a bug: KeyError: 'the bug' ({tmp_path / 'buggy.py'}:9 in run)"
    assert reasons[stranded.id] == f"no worker serves its task queue {queue}-nobody"
    assert ended.json()["task_queues"] == [queue]
    assert "ImportError" not in ended.err
    assert "\x1b" not in ended.err

    told = look["status"].json()
    assert told["status"]["stuck"] == "KeyError: 'the bug'"
    assert told["status"]["stuck_at"] == f"{tmp_path / 'buggy.py'}:9 in run", "the last place in the user's code"
    assert told["missing"] == f"run {queue!r} cannot answer while a bug blocks it: KeyError: 'the bug'"
    assert (look["steps"].code, look["steps"].err) == (3, f"error: {told['missing']}\n")
    assert "stuck" not in look["list"].json()["runs"][0], "a list does not know"


async def test_a_run_from_before_the_code_changed_says_so(temporal: str, tmp_path: Path) -> None:
    queue = f"changed-{uuid.uuid4()}"
    env = environ(TEMPORAL_ADDRESS=temporal, LLMFLOW_MODELS="offline")
    serve = ("worker", "--app", "works:app", "--task-queue", queue)
    (tmp_path / "works.py").write_text(WORKS)
    async with started(*serve, cwd=tmp_path, env=env):
        run = await Client((await connect(address=temporal)).temporal, queue).start("Works", id=queue)
        assert await run.result() == "done"
    (tmp_path / "works.py").write_text(WORKS.replace("sleep(0.01)", "wait_condition(lambda: False)"))
    async with started(*serve, cwd=tmp_path, env=env) as worker:
        await worker.says("serving")
        done = await finished("status", queue, cwd=tmp_path, env=env)
    said = " ".join(done.out.split())
    assert "cannot answer, because the code of its workflow has changed" in said
    assert f"`llmflow cost --run {queue}` knows what it cost" in said


async def _counted(client: TemporalClient, queue: str) -> int:
    """The gauge that a worker with metrics reports."""
    numbers = MetricBuffer(100)
    meter = Runtime(telemetry=TelemetryConfig(metrics=numbers)).metric_meter
    found: list[int] = []

    async def reported() -> bool:
        updates = [one for one in numbers.retrieve_updates() if one.metric.name == STUCK_RUNS]
        found.extend(int(one.value) for one in updates if one.attributes["task_queue"] == queue)
        return bool(found)

    async with counting_stuck_runs(client, meter, ["it's nobody's", queue]):
        await until(reported)
    return found[0]


async def _is_found(address: str, id: str) -> bool:
    """True once Temporal has set the search attribute, which it does after some failures in a row."""
    found = await stuck_runs(await connect(address=address), "Buggy")
    return any(one.run.id == id and one.run.stuck for one in found)
