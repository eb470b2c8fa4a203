"""llmflow as a user has it: installed from its wheel, and no clone in reach."""

import os
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
    """A virtual environment with llmflow in it, and a home of its own."""

    venv: Path
    env: Mapping[str, str]

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    def started(self, *arguments: str, cwd: Path, **more: str) -> AbstractAsyncContextManager[Process]:
        """`llmflow`, for as long as the context lasts."""
        return started(*arguments, cwd=cwd, env={**self.env, **more}, command=[self.venv / "bin" / "llmflow"])

    async def llmflow(self, *arguments: str, cwd: Path, **more: str) -> Done:
        """`llmflow`, to its end."""
        return await finished(*arguments, cwd=cwd, env={**self.env, **more}, command=[self.venv / "bin" / "llmflow"])

    async def run(self, *arguments: str, cwd: Path, **more: str) -> Done:
        """Python, to its end."""
        return await finished(*arguments, cwd=cwd, env={**self.env, **more}, command=[self.python])


def build(folder: Path, *targets: str, source: Path = ROOT) -> list[Path]:
    """Build `wheel`, `sdist` or `wheel:editable` into a new folder, as installers do, and return its files."""
    chosen = [word for target in targets for word in ("--target", target)]
    call(sys.executable, "-m", "hatchling", "build", *chosen, "--directory", folder, cwd=source)
    return sorted(folder.iterdir())


async def installed(wheel: Path, folder: Path) -> Installed:
    """Install the wheel beside the packages of this environment, where an editable llmflow does not count.

    Args:
        wheel: The file.
        folder: An empty one, for the environment and for the home of its user.
    """
    venv, home, tools = folder / "venv", folder / "home", folder / "tools"
    call(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin" / "python"
    call(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps", wheel)
    # A path in a .pth file is one more on sys.path; the .pth files in there, with the clone's path, are not read.
    packages = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (site,) = (venv / "lib").glob("python*/site-packages")
    (site / "packages_of_the_tests.pth").write_text("".join(f"{path}\n" for path in packages))
    for new in (home, tools):
        new.mkdir()
    (tools / "temporal").symlink_to(await temporal_executable(Settings.load(), print))
    path = os.pathsep.join(map(str, (venv / "bin", tools, "/usr/bin", "/bin")))
    return Installed(venv, {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"})


def call(*command: str | Path, cwd: Path | None = None) -> None:
    """Run a program to its end.

    Raises:
        AssertionError: it failed; has what it said.
    """
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
