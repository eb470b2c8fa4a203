"""The wheel holds `llmflow`, whole and alone: no tests, no applications, no file left behind."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from zipfile import ZipFile

from ._source import ROOT, holds


def misplaced(packed: Iterable[str], ours: Iterable[str]) -> Iterator[str]:
    found = {name for name in packed if ".dist-info/" not in name}
    for name in found - set(ours):
        yield f"{name}: is in the wheel; pyproject.toml packs `llmflow` alone"
    for name in set(ours) - found:
        yield f"{name}: is not in the wheel; does .gitignore or pyproject.toml leave it out?"


def test_the_wheel_is_llmflow(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    files = (file for file in (ROOT / "llmflow").rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    with ZipFile(wheel) as archive:
        holds(misplaced(archive.namelist(), (file.relative_to(ROOT).as_posix() for file in files)))


def test_rejects_another_wheel() -> None:
    ours = ["llmflow/__init__.py", "llmflow/py.typed"]
    assert not list(misplaced([*ours, "llmflow-1.dist-info/METADATA"], ours))
    assert list(misplaced([*ours, "tests/test_a.py"], ours))
    assert list(misplaced(ours[:1], ours))
