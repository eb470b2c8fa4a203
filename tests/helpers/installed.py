"""llmflow as a user has it: installed from its wheel, without a clone on the path."""

import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from llmflow.config import Settings
from llmflow.dev.executable import temporal_executable
from tests.helpers.command_line import ROOT, Done, Process, finished, started


@dataclass(frozen=True)
class Installed:
    """A virtual environment with llmflow, and a home of its own."""

    wheel: Path
    venv: Path
    env: Mapping[str, str]

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    def started(self, *arguments: str, cwd: Path, **more: str) -> AbstractAsyncContextManager[Process]:
        """Run `llmflow` for as long as the context lasts."""
        return started(*arguments, cwd=cwd, env={**self.env, **more}, command=[self.venv / "bin" / "llmflow"])

    async def llmflow(self, *arguments: str, cwd: Path, **more: str) -> Done:
        """Run `llmflow` to its end."""
        return await finished(*arguments, cwd=cwd, env={**self.env, **more}, command=[self.venv / "bin" / "llmflow"])

    async def run(self, *arguments: str, cwd: Path, **more: str) -> Done:
        """Run Python to its end."""
        return await finished(*arguments, cwd=cwd, env={**self.env, **more}, command=[self.python])


def build(folder: Path, *targets: str, source: Path = ROOT) -> list[Path]:
    """Build `wheel`, `sdist` or `wheel:editable` into a new folder, as installers do, and return its files."""
    chosen = [word for target in targets for word in ("--target", target)]
    call(sys.executable, "-m", "hatchling", "build", *chosen, "--directory", folder, cwd=source)
    return sorted(folder.iterdir())


async def installed(wheel: Path, folder: Path) -> Installed:
    """Install the wheel beside the packages of this environment, where an editable llmflow does not count.

    Args:
        wheel: Path of the wheel.
        folder: Empty folder for the environment and the home of its user.
    """
    venv, home, tools = folder / "venv", folder / "home", folder / "tools"
    call(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin" / "python"
    call(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps", wheel)
    # A path in a .pth file is one more on sys.path; .pth files in that path, with the clone's path, are not read.
    packages = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (site,) = (venv / "lib").glob("python*/site-packages")
    (site / "packages_of_the_tests.pth").write_text("".join(f"{path}\n" for path in packages))
    for new in (home, tools):
        new.mkdir()
    (tools / "temporal").symlink_to(await temporal_executable(Settings.load(), print))
    path = os.pathsep.join(map(str, (venv / "bin", tools, "/usr/bin", "/bin")))
    return Installed(wheel, venv, {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"})


async def makes_a_project(user: Installed, folder: Path) -> Path:
    """Run `llmflow init`, the test of the new project, and a run of it; return the project."""
    made = await user.llmflow("init", "mine", cwd=folder)
    assert made.code == 0, made.err
    project = folder / "mine"
    tested = await user.run("-m", "pytest", "-q", cwd=project)
    assert "1 passed" in tested.out, tested.out + tested.err
    async with user.started("dev", cwd=project, LLMFLOW_APP="mine.app:app") as dev:
        await dev.says("Ctrl-C stops it")
        start = ("start", "--app", "mine.app:app", "--input", "@example.json", "--wait", "--json")
        digest = (await user.llmflow(*start, cwd=project)).json()["result"]
        ended = await dev.done(signal.SIGTERM)
    assert digest["reading_time"] == {"words": 79, "minutes": 1}
    assert ended.code == 0, ended.err
    return project


async def shows_the_demo(user: Installed, folder: Path) -> None:
    """Run `llmflow demo` in an empty folder, and the command that it prints to see the run again."""
    done = await user.llmflow("demo", "--json", cwd=folder)
    outcome = done.json()
    pages = {page.name for page in (ROOT / "docs").glob("*.md")}
    assert {source["path"] for source in outcome["result"]["sources"]} <= pages
    assert outcome["result"]["report"]["sections"]
    again = done.err.strip().rpartition("To see the run again: ")[2]
    assert again == "llmflow dev --app workflows.research.app:app"

    async with user.started(*again.split()[1:], cwd=folder) as dev:
        await dev.says("Ctrl-C stops it")
        run = (await user.llmflow("status", outcome["id"], "--json", cwd=folder)).json()
        await dev.done(signal.SIGTERM)
    assert run["status"]["state"] == "completed"
    assert [path.name for path in folder.iterdir()] == [".llmflow"]


def call(*command: str | Path, cwd: Path | None = None) -> None:
    """Run a program to its end.

    Raises:
        AssertionError: it failed; the message has its output.
    """
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
