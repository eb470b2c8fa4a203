"""The project of `llmflow init` runs, passes its own test, and is clean, at once and without a key."""

import asyncio
import sys
from pathlib import Path

import pytest

from llmflow.dev.scaffold import scaffold
from tests.helpers.command_line import Done, environ, finished


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A new project."""
    scaffold("tea", tmp_path)
    return tmp_path / "tea"


async def python(*arguments: str, cwd: Path, env: dict[str, str]) -> Done:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=cwd, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return Done(await process.wait(), out.decode(), err.decode())


async def test_passes_its_own_test(project: Path, temporal: str) -> None:
    done = await python("-m", "pytest", "-q", cwd=project, env=environ(TEMPORAL_ADDRESS=temporal))
    assert done.code == 0, done.out + done.err
    assert "1 passed" in done.out
    assert "warning" not in done.out + done.err


@pytest.mark.parametrize("name", ["tea", "t" * 30])
async def test_is_clean(name: str, tmp_path: Path) -> None:
    """Whatever the length of its name, and for the line length that ruff has by default."""
    scaffold(name, tmp_path)
    rules = "E,F,W,I,B,UP,ASYNC,C4,SIM,RET,RUF,D1"
    checks = (["check", "--select", rules, "--ignore", "D103"], ["format", "--check"])
    for check in checks:
        done = await python("-m", "ruff", *check, "--isolated", "--no-cache", ".", cwd=tmp_path / name, env=environ())
        assert done.code == 0, done.out + done.err


async def test_runs_with_its_own_worker(project: Path, temporal: str) -> None:
    env = environ(TEMPORAL_ADDRESS=temporal, LLMFLOW_APP="tea.app:app")
    worker = await asyncio.create_subprocess_exec(sys.executable, "-m", "workers.tea", cwd=project, env=env)
    try:
        start = ("start", "--input", "@example.json", "--wait", "--json")
        async with asyncio.timeout(110):
            digest = (await finished(*start, cwd=project, env=env)).json()["result"]
            healthy = await finished("doctor", cwd=project, env=env)
    finally:
        worker.terminate()
        ended = await worker.wait()

    assert digest["reading_time"] == {"words": 79, "minutes": 1}
    assert digest["summary"]["points"], "copied from the text, without a model"
    assert healthy.code == 0, healthy.out
    assert "✓ models" in healthy.out
    assert ended == 0
