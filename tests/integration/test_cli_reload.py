"""`llmflow dev` loads an App anew after each edit: real processes, real files, and what becomes of calls and runs."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from llmflow.client import Client, Run, connect
from tests.helpers.command_line import Process, environ, finished, started

WORKFLOW = """
from temporalio import workflow
from llmflow import flow
from mine.tools import hold, pid, say


@workflow.defn
class Say:
    @workflow.run
    async def run(self) -> str:
        return await flow.call_tool(say)


@workflow.defn
class Hold:
    @workflow.run
    async def run(self) -> list[str]:
        return [await flow.call_tool(hold), await flow.call_tool(say)]


@workflow.defn
class Pid:
    @workflow.run
    async def run(self) -> int:
        return await flow.call_tool(pid)
"""
# Whoever opens a pipe to write into it, waits until it is opened to be read, and the other way round.
TOOLS = '''
import os
from pathlib import Path
from temporalio.common import RetryPolicy
from llmflow.tools import tool

WORD = "one"
for pipe in Path().glob("import"):
    pipe.read_text()


@tool
def say() -> str:
    """Say it."""
    return WORD


@tool(retry_policy=RetryPolicy(maximum_attempts=1))
def hold() -> str:
    """Last until it is told to end."""
    return f"{WORD} {Path('hold').read_text()}"


@tool
def pid() -> int:
    """Say which process this is."""
    return os.getpid()
'''
APP = """
from pathlib import Path
from llmflow.app import App
from mine.workflow import Hold, Pid, Say
from mine.tools import hold, pid, say

HERE = Path(__file__).parent
app = App(
    name="NAME",
    workflows=[Hold, Pid, Say],
    tools=[hold, pid, say],
    prompts=HERE / "prompts",
    models=HERE / "models.yaml",
)
"""
MODELS = "providers:\n  offline: {api: offline}\nmodels:\n  smart: [offline:extractive]\n"


@dataclass(frozen=True)
class Mine:
    """A project whose files are edited."""

    root: Path
    queue: str
    client: Client
    env: dict[str, str]

    def write(self, name: str, text: str) -> None:
        """A file of its package."""
        (self.root / "mine" / name).parent.mkdir(exist_ok=True, parents=True)
        (self.root / "mine" / name).write_text(text)

    def say(self, word: str) -> None:
        """Edit the tool, as it can be missed: in the same second, and with as many characters."""
        path = self.root / "mine" / "tools.py"
        before = path.stat().st_mtime_ns
        path.write_text(TOOLS.replace("one", word))
        os.utime(path, ns=(before, before))

    def pipe(self, name: str) -> None:
        os.mkfifo(self.root / name)

    async def arrived(self, name: str) -> Any:  # Any: a file
        """Wait until it is read from the pipe."""
        return await asyncio.to_thread((self.root / name).open, "w")

    async def start(self, workflow: str) -> Run[Any]:
        return await self.client.start(workflow, id=f"{workflow}-{uuid4()}")

    async def result(self, workflow: str) -> Any:  # Any: of different workflows
        return await (await self.start(workflow)).result()


@pytest.fixture
async def mine(temporal: str, tmp_path: Path) -> Mine:
    queue = f"mine-{uuid4().hex[:8]}"
    project = Mine(
        root=tmp_path,
        queue=queue,
        client=Client((await connect(address=temporal)).temporal, queue),
        env=environ(TEMPORAL_ADDRESS=temporal, LLMFLOW_APP="mine.app:app", PYTHONDONTWRITEBYTECODE=""),
    )
    for name, text in {"workflow.py": WORKFLOW, "tools.py": TOOLS, "app.py": APP.replace("NAME", queue)}.items():
        project.write(name, text)
    project.write("prompts/ask.prompt", "---\nmodel: smart\n---\nuser:\nhello\n")
    project.write("models.yaml", MODELS)
    return project


@pytest.fixture
async def dev(mine: Mine) -> AsyncIterator[Process]:
    """`llmflow dev`, which serves."""
    async with started("dev", cwd=mine.root, env=mine.env) as process:
        await process.says("edits restart the worker")
        yield process


async def test_runs_go_on_with_the_new_code_after_the_running_calls(mine: Mine, dev: Process) -> None:
    assert await mine.result("Say") == "one"
    mine.pipe("hold")
    run = await mine.start("Hold")
    call = await mine.arrived("hold")

    mine.say("two")
    await dev.says_next("mine/tools.py changed: reloading after the in-flight calls")
    mine.say("six")  # meanwhile
    with call:
        call.write("held")

    assert await dev.says_next("reloaded") == "reloaded: mine/tools.py changed\n"
    assert await run.result() == ["one held", "six"]
    assert await mine.result("Say") == "six"

    done = await dev.done(signal.SIGTERM)
    assert (done.code, done.out) == (0, "")
    assert done.err.count("reloaded") == 1
    assert done.err.count("NO LANGUAGE MODEL") == 1, "only what is new is said again"


async def test_code_that_does_not_load_waits_for_the_next_edit(mine: Mine, dev: Process) -> None:
    mine.write("tools.py", TOOLS + "def (:\n")
    line = TOOLS.count("\n") + 1
    assert await dev.says_next("error:") == f"error: app 'mine.app:app': mine/tools.py:{line}: invalid syntax\n"
    await dev.says_next("the worker has ended with 5: the next edit starts it again")

    listed = await finished("list", "--json", "--limit", "1", cwd=mine.root, env=mine.env)
    assert listed.code == 0, "the server is there"

    mine.write("tools.py", "import not_there\n")
    await dev.says_next("ModuleNotFoundError: No module named 'not_there'")
    await dev.says_next("the worker has ended with 1")

    mine.say("two")
    await dev.says_next("reloaded: mine/tools.py changed")
    assert await mine.result("Say") == "two"


async def test_a_worker_that_is_killed_comes_back_with_the_next_edit(mine: Mine, dev: Process) -> None:
    os.kill(await mine.result("Pid"), signal.SIGKILL)
    await dev.says_next("the worker has ended with -9: the next edit starts it again")
    mine.say("two")
    await dev.says_next("reloaded: mine/tools.py changed")
    assert await mine.result("Say") == "two"


async def test_prompts_and_models_count_and_what_tools_leave_does_not(mine: Mine, dev: Process) -> None:
    mine.write("workflow.py~", WORKFLOW)
    mine.write("notes.txt", "to do")
    mine.write("prompts/ask.prompt", "---\nmodel: fast\n---\nuser:\nhello\n")
    await dev.says_next("has no model 'fast'")
    await dev.says_next("the worker has ended with 5")

    mine.write("models.yaml", MODELS + "  fast: smart\n")
    assert await dev.says_next("reloaded") == "reloaded: mine/models.yaml changed\n"

    (mine.root / "mine/prompts/more").mkdir()
    assert await dev.says_next("reloaded") == "reloaded: mine/prompts/more changed\n"
    mine.write("prompts/more/ask.prompt", "{{")
    assert "mine/prompts/more/ask.prompt:1:" in await dev.says_next("error:")


async def test_a_model_instead_of_the_offline_one(mine: Mine) -> None:
    own = "providers:\n  own: {api: chat, KEYbase_url: 'http://127.0.0.1:9/v1'}\nmodels:\n  smart: [own:large]\n"
    mine.write("models.yaml", own.replace("KEY", "key: OWN_KEY, "))
    async with started("dev", cwd=mine.root, env=mine.env) as dev:
        await dev.says("edits restart the worker")
        assert "NO LANGUAGE MODEL" in dev.err, "nobody can be asked"
        mine.write("models.yaml", own.replace("KEY", ""))
        assert await dev.says_next("reloaded") == "reloaded: mine/models.yaml changed\n"


async def test_an_edit_while_it_loads(mine: Mine, dev: Process) -> None:
    mine.pipe("import")
    mine.say("two")
    with await mine.arrived("import"):  # which a worker would wait for
        (mine.root / "import").unlink()
        mine.say("six")
        await dev.says_next("reloaded: mine/tools.py changed")
    assert await mine.result("Say") == "six"


async def test_files_that_go_and_come_back(mine: Mine, dev: Process) -> None:
    away = [path.rename(path.with_suffix(".old")) for path in (mine.root / "mine").glob("*.py")]
    assert len(away) == 3
    await dev.says_next("the worker has ended with 5")
    for path in away:
        path.rename(path.with_suffix(".py"))
    assert (await dev.says_next("reloaded")).endswith(" changed\n")
    assert await mine.result("Say") == "one"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_it_ends_while_it_loads(mine: Mine, how: signal.Signals) -> None:
    mine.pipe("import")
    async with started("dev", cwd=mine.root, env=mine.env) as dev:
        with await mine.arrived("import"):
            assert (await dev.done(how)).code == 130


async def test_it_ends_while_it_loads_anew(mine: Mine, dev: Process) -> None:
    mine.pipe("import")
    mine.say("two")
    with await mine.arrived("import"):
        assert (await dev.done(signal.SIGINT)).code == 0


async def test_it_ends_while_its_code_does_not_load(mine: Mine, dev: Process) -> None:
    mine.write("tools.py", "def (:\n")
    await dev.says_next("has ended with 5")
    assert (await dev.done(signal.SIGINT)).code == 0


async def test_ctrl_c_waits_for_the_running_calls_and_twice_does_not(mine: Mine, dev: Process) -> None:
    mine.pipe("hold")
    await mine.start("Hold")
    with await mine.arrived("hold"):
        dev.interrupt()
        await dev.says_next("finishing the in-flight calls; Ctrl-C again stops at once")
        assert (await dev.done(signal.SIGINT)).code == 130


async def test_its_worker_does_not_outlive_it(mine: Mine, dev: Process) -> None:
    mine.pipe("hold")
    await mine.start("Hold")
    with await mine.arrived("hold"):
        # The worker has the same stderr, so this is the end of both.
        assert (await dev.done(signal.SIGKILL)).code == -signal.SIGKILL


async def test_an_app_that_never_loads(mine: Mine) -> None:
    nowhere = await finished("dev", "--app", "mine.ap:app", cwd=mine.root, env=mine.env)
    assert (nowhere.code, nowhere.out) == (5, "")
    assert nowhere.err.startswith("error: app 'mine.ap:app': there is no module 'mine.ap' here")

    mine.write("tools.py", "def (:\n")
    done = await finished("dev", "--json", cwd=mine.root, env=mine.env)
    assert (done.code, done.out) == (5, "")
    assert done.err == "error: app 'mine.app:app': mine/tools.py:1: invalid syntax\n"
