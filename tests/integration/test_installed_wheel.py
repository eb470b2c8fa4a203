"""The wheel stands alone: installed outside the clone, it makes a project, serves it, tests it, and shows the demos."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.helpers.command_line import ROOT
from tests.helpers.installed import Installed, build, installed

WHERE = """
import importlib.util, json, sys, llmflow
print(json.dumps({
    "llmflow": llmflow.__file__,
    "path": sys.path,
    "others": [name for name in ("workflows", "workers", "tests", "bench") if importlib.util.find_spec(name)],
}))
"""


@pytest.fixture(scope="module")
async def user(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    (wheel,) = await asyncio.to_thread(build, folder / "dist", "wheel")
    return await installed(wheel, folder)


async def test_nothing_of_the_clone_is_in_reach(user: Installed, tmp_path: Path) -> None:
    found = (await user.run("-c", WHERE, cwd=tmp_path)).json()
    assert Path(found["llmflow"]).is_relative_to(user.venv)
    assert str(ROOT) not in found["path"]
    assert found["others"] == []


@pytest.mark.timeout(240)  # four processes of Python on what may be one busy core
async def test_a_new_project_is_tested_and_runs(user: Installed, tmp_path: Path) -> None:
    made = await user.llmflow("init", "mine", cwd=tmp_path)
    assert made.code == 0, made.err
    project = tmp_path / "mine"

    tested = await user.run("-m", "pytest", "-q", cwd=project)
    assert "1 passed" in tested.out, tested.out + tested.err

    async with user.started("dev", "mine.app:app", cwd=project) as dev:
        await dev.says("Ctrl-C stops it")
        start = ("start", "mine.app:app", "--input", "@example.json", "--wait", "--json")
        digest = (await user.llmflow(*start, cwd=project)).json()["result"]
        ended = await dev.done(signal.SIGTERM)
    assert digest["reading_time"] == {"words": 79, "minutes": 1}
    assert ended.code == 0, ended.err


@pytest.mark.timeout(240)  # as above
async def test_the_demo_answers_from_its_own_documents_and_is_there_later(user: Installed, tmp_path: Path) -> None:
    done = await user.llmflow("demo", "--json", cwd=tmp_path)
    outcome = done.json()
    assert {source["path"] for source in outcome["result"]["sources"]} <= {
        page.name for page in (ROOT / "docs").glob("*.md")
    }
    assert outcome["result"]["report"]["sections"]
    again = done.err.strip().rpartition("To see the run again: ")[2]
    assert again == "llmflow dev workflows.research.app:app"

    async with user.started(*again.split()[1:], cwd=tmp_path) as dev:
        await dev.says("Ctrl-C stops it")
        run = (await user.llmflow("status", outcome["id"], "--json", cwd=tmp_path)).json()
        await dev.done(signal.SIGTERM)
    assert run["status"]["state"] == "completed"
    assert [path.name for path in tmp_path.iterdir()] == [".llmflow"]


async def test_a_package_of_the_same_name_does_not_hide_the_examples(
    user: Installed, tmp_path: Path, temporal: str
) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "__init__.py").touch()
    env = {"PYTHONPATH": str(tmp_path), "TEMPORAL_ADDRESS": temporal}

    done = await user.llmflow("demo", "digest", cwd=tmp_path, **env)
    healthy = await user.llmflow("doctor", "workflows.digest.app:app", cwd=tmp_path, LLMFLOW_MODELS="offline", **env)

    assert done.code == 0, done.err
    assert "06-choir.md: it is no text in UTF-8" in done.out
    assert "carpenter" in done.out
    shown = [line.split()[-1] for line in done.err.partition("\nNext\n")[2].splitlines() if "/" in line]
    assert len(shown) == 2
    assert all(Path(path).is_relative_to(user.venv) and Path(path).exists() for path in shown), shown
    assert "✓ models" in healthy.out, healthy.out + healthy.err
