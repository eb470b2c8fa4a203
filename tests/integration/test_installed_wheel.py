"""The wheel stands alone: installed outside the clone, it makes a project, serves it, tests it, and shows the demos."""

import asyncio
from pathlib import Path

import pytest

from tests.helpers.command_line import ROOT
from tests.helpers.installed import Installed, build, installed, makes_a_project, shows_the_demo

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
    await makes_a_project(user, tmp_path)


@pytest.mark.timeout(240)  # as above
async def test_the_demo_answers_from_its_own_documents_and_is_there_later(user: Installed, tmp_path: Path) -> None:
    await shows_the_demo(user, tmp_path)


async def test_init_says_where_the_wheel_is_that_an_image_needs(user: Installed, tmp_path: Path) -> None:
    made = await user.llmflow("init", "mine", cwd=tmp_path)
    (line,) = (line for line in made.out.splitlines() if line.startswith("  pip wheel "))
    laid = await user.run("-m", *line.split(), "--no-index", cwd=tmp_path / "mine")
    assert laid.code == 0, laid.err
    assert [file.name for file in (tmp_path / "mine").glob("llmflow-*.whl")] == [user.wheel.name]


async def test_a_package_of_the_same_name_does_not_hide_the_examples(
    user: Installed, tmp_path: Path, temporal: str
) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "__init__.py").touch()
    env = {"PYTHONPATH": str(tmp_path), "TEMPORAL_ADDRESS": temporal}

    done = await user.llmflow("demo", "digest", cwd=tmp_path, **env)
    healthy = await user.llmflow(
        "doctor", "--app", "workflows.digest.app:app", cwd=tmp_path, LLMFLOW_MODELS="offline", **env
    )

    assert done.code == 0, done.err
    assert "06-choir.md: it is not UTF-8 text" in done.out
    assert "carpenter" in done.out
    shown = [line.split()[-1] for line in done.err.partition("\nNext\n")[2].splitlines() if "/" in line]
    assert len(shown) == 2
    assert all(Path(path).is_relative_to(user.venv) and Path(path).exists() for path in shown), shown
    assert "✓ models" in healthy.out, healthy.out + healthy.err
