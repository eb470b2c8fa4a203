"""Changes of an App's files that the watcher counts, on real files."""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from time import time

import pytest

from llmflow.dev.watch import forget_bytecode, watch

LONG_AGO = 1_000_000_000.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With files that were written long ago."""
    for name in ("workflow.py", "plan.prompt", "models.yaml", "notes.txt"):
        (tmp_path / name).write_text("before")
        os.utime(tmp_path / name, (LONG_AGO, LONG_AGO))
    return tmp_path


async def seen(folder: Path, edit: Callable[[], object], *, files: Sequence[str] = ()) -> list[str]:
    """Return the watcher's report of an edit; of one that does not count, the report of the edit after it."""
    since = time()
    watching = await watch([folder, *(folder / one for one in files)], since)
    await asyncio.sleep(0)  # now it has looked for what was edited before
    edit()
    (folder / "workflow.py").write_text("after")
    return [path.name for path in await watching]


def replaced(path: Path) -> None:
    """As most editors save."""
    draft = path.with_name(f"{path.name}~")
    draft.write_text("after")
    draft.replace(path)


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("plan.prompt", lambda path: path.write_text("after")),
        ("plan.prompt", replaced),
        ("plan.prompt", Path.unlink),
        ("plan.prompt", lambda path: path.rename(path.with_name("gone.txt"))),
        ("new.py", Path.touch),
        ("models.yaml", lambda path: path.write_text("after")),
        ("models.yaml", replaced),
        ("models.yaml", Path.unlink),
        ("prompts", Path.mkdir),
    ],
)
async def test_what_counts(folder: Path, name: str, edit: Callable[[Path], object]) -> None:
    assert name in await seen(folder, lambda: edit(folder / name), files=["models.yaml"])


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("notes.txt", lambda path: path.write_text("after")),
        ("models.yaml", lambda path: path.write_text("after")),  # of nobody here
        (".workflow.py.swp", Path.touch),
        (".#workflow.py", lambda path: path.symlink_to("ana@host.1234:5678")),
        ("#workflow.py#", Path.touch),
        ("workflow.py~", Path.touch),
        ("flycheck_workflow.py", Path.touch),
        ("workflow.cpython-311.pyc", Path.touch),
        ("4913", Path.touch),
        ("__pycache__", Path.mkdir),
        (".git", Path.mkdir),
        (".venv", Path.mkdir),
        (".llmflow", Path.mkdir),
    ],
)
async def test_what_does_not(folder: Path, name: str, edit: Callable[[Path], object]) -> None:
    assert await seen(folder, lambda: edit(folder / name)) == ["workflow.py"]


async def test_folders_below_are_watched_when_they_are_named(folder: Path) -> None:
    (folder / "below").mkdir()
    assert await seen(folder, (folder / "below" / "a.py").touch) == ["workflow.py"]
    assert await (await watch([folder / "below"], LONG_AGO)) == [folder / "below" / "a.py"]


async def test_what_changed_before_it_began_and_is_not_of_the_future(folder: Path) -> None:
    since = time() - 10
    os.utime(folder / "workflow.py", (since + 1, since + 1))
    os.utime(folder / "plan.prompt", (since + 1000, since + 1000))
    assert await (await watch([folder], since)) == [folder / "workflow.py"]


async def test_a_file_of_a_watched_folder_that_is_watched_by_itself_is_told_once(folder: Path) -> None:
    since = time()
    (folder / "models.yaml").write_text("after")
    watching = await watch([folder, folder / "models.yaml"], since - 10)
    assert [path.name for path in await watching] == ["models.yaml"]


async def test_what_is_not_there(folder: Path) -> None:
    assert await seen(folder, lambda: None, files=["nowhere.yaml"]) == ["workflow.py"]


async def test_without_anything_it_waits_and_ends_when_it_is_cancelled() -> None:
    watching = await watch([], 0)
    done, _ = await asyncio.wait([watching], timeout=0.2)
    assert not done
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    assert watching.cancelled()


def test_bytecode_of_what_changed_is_forgotten(tmp_path: Path) -> None:
    module = tmp_path / "workflow.py"
    compiled = Path(cache_from_source(module))
    compiled.parent.mkdir()
    compiled.touch()
    forget_bytecode([module, tmp_path / "plan.prompt", tmp_path / "new.py"])
    assert not compiled.exists()
