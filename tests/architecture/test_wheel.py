"""Build artifacts: a wheel of `llmflow` with its examples and nothing else, and an sdist that makes the same wheel."""

import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.helpers.installed import build

from .source import ROOT, holds

EXAMPLES = "llmflow/dev/examples"
INFO = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}


@dataclass(frozen=True)
class Built:
    """The two files that are built from one folder."""

    wheel: Path
    sdist: Path

    @property
    def packed(self) -> list[str]:
        """The files in the wheel."""
        with ZipFile(self.wheel) as archive:
            return archive.namelist()

    @property
    def metadata(self) -> Message:
        with ZipFile(self.wheel) as archive:
            (name,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
            return message_from_bytes(archive.read(name))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    sdist, wheel = sorted(build(tmp_path_factory.mktemp("dist"), "sdist", "wheel"), key=lambda file: file.suffix)
    return Built(wheel, sdist)


def files(folder: str) -> set[str]:
    """Those of the clone, by their paths from its root."""
    found = (file for file in (ROOT / folder).rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {file.relative_to(ROOT).as_posix() for file in found}


def ours() -> set[str]:
    """Return the files of the wheel: the package; the examples, with the pages that they read, without pictures."""
    pages = {name for name in files("docs") if name.endswith(".md")}
    return files("llmflow") | {f"{EXAMPLES}/{name}" for name in files("workflows") | pages}


def misplaced(packed: Iterable[str], ours: Iterable[str]) -> Iterator[str]:
    found = {name for name in packed if ".dist-info/" not in name}
    for name in found - set(ours):
        yield f"{name}: is in the wheel; pyproject.toml packs `llmflow` and the examples alone"
    for name in set(ours) - found:
        yield f"{name}: is not in the wheel; does .gitignore or pyproject.toml leave it out?"
    for name in set(packed) - found:
        if name.partition(".dist-info/")[2] not in INFO:
            yield f"{name}: is in the wheel; no installer knows it"


def test_the_wheel_is_llmflow_and_its_examples(built: Built) -> None:
    holds(misplaced(built.packed, ours()))
    assert "llmflow/py.typed" in built.packed
    assert not [name for name in built.packed if "test_" in name and not name.endswith(".template")]


def test_the_metadata_says_what_a_user_may_do_and_with_which_python(built: Built) -> None:
    said = built.metadata
    assert (said["License-Expression"], said.get_all("License-File")) == ("MIT", ["LICENSE"])
    assert "MIT License" in (ROOT / "LICENSE").read_text()
    minors = [name.rpartition("3.")[2] for name in said.get_all("Classifier", []) if "Python :: 3." in name]
    assert minors == ["11", "12", "13"]
    assert said["Requires-Python"] == f">=3.{minors[0]}"
    assert said.get_all("Project-URL")


def test_the_sdist_is_what_git_has(built: Built) -> None:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"this is no clone, so nobody knows what belongs into an sdist: {error}")
    with tarfile.open(built.sdist) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    assert found == {*(name for name in done.stdout.splitlines() if (ROOT / name).exists()), "PKG-INFO"}


def test_the_sdist_makes_the_same_wheel(built: Built, tmp_path: Path) -> None:
    with tarfile.open(built.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    (wheel,) = build(tmp_path / "dist", "wheel", source=source)
    assert wheel.read_bytes() == built.wheel.read_bytes()


def test_an_editable_install_is_a_path_and_no_copy(tmp_path: Path) -> None:
    """A copy of the examples would hide the clone's own."""
    (wheel,) = build(tmp_path, "wheel:editable")
    packed = Built(wheel, wheel).packed
    assert [name for name in packed if ".dist-info/" not in name] == ["_llmflow.pth"]


def test_rejects_another_wheel() -> None:
    ours = ["llmflow/__init__.py", "llmflow/py.typed"]
    assert not list(misplaced([*ours, "llmflow-1.dist-info/METADATA"], ours))
    assert list(misplaced([*ours, "tests/test_a.py"], ours))
    assert list(misplaced([*ours, "llmflow-1.dist-info/licenses/tests.py"], ours))
    assert list(misplaced(ours[:1], ours))
