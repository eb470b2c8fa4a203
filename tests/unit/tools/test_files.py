"""Saving files: whole, inside the root, and never through a link."""

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmflow.errors import ToolArgumentsInvalid, ToolRefused
from llmflow.tools import SavedFile, run_tool, save_file, write_file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


def everything(folder: Path) -> dict[str, str]:
    """Each file below the folder, with its text."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in files}


def test_a_file_is_saved(root: Path) -> None:
    saved = write_file("reports/2026/käse.md", "# Käse\n", root=root)
    location = root / "reports/2026/käse.md"
    assert saved == SavedFile(path="reports/2026/käse.md", location=str(location), size=8)
    assert everything(root) == {"reports/2026/käse.md": "# Käse\n"}
    assert location.stat().st_mode & 0o777 == 0o644


def test_the_same_call_again_changes_nothing(root: Path) -> None:
    first = write_file("a.md", "text", root=root)
    assert write_file("a.md", "text", root=root) == first
    assert everything(root) == {"a.md": "text"}


def test_another_content_replaces_the_file(root: Path) -> None:
    write_file("a.md", "a long text", root=root)
    write_file("a.md", "", root=root)
    assert everything(root) == {"a.md": ""}


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/etc/passwd", "relative to the root"),
        ("", "must be the name"),
        (".", "must be the name"),
        ("..", "must be the name"),
        ("../a", "must be the name"),
        ("a/../../b", "must be the name"),
        ("a/./b", "must be the name"),
        ("a//b", "must be the name"),
        ("a/", "must be the name"),
        ("a\\b", "no backslashes"),
        ("..\\a", "no backslashes"),
        ("a\0b", "invisible characters"),
        ("a\nb", "invisible characters"),
        ("a\u202egpj", "invisible characters"),
        ("x" * 256, "at most 255 bytes"),
        ("ä" * 128, "at most 255 bytes"),
        ("/".join(["x" * 100] * 11), "1000 characters"),
    ],
)
def test_paths_that_are_refused(root: Path, path: str, says: str) -> None:
    with pytest.raises(ToolRefused, match=says) as caught:
        write_file(path, "text", root=root)
    assert caught.value.detail.field == "path"
    assert not root.exists()


def test_what_is_no_unicode_is_refused(root: Path) -> None:
    for path, content, field in (("a\udc80", "x", "path"), ("a", "x\ud800", "content")):
        with pytest.raises(ToolRefused) as caught:
            write_file(path, content, root=root)
        assert caught.value.detail.field == field
    assert not root.exists()


def test_links_are_refused(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (root / "inner").mkdir(parents=True)
    outside.mkdir()
    (outside / "target").write_text("before")
    (root / "folder").symlink_to(outside)
    (root / "near").symlink_to(root / "inner")
    (root / "file").symlink_to(outside / "target")
    (root / "nowhere").symlink_to(outside / "new")
    for path in ("folder/a", "near/a", "inner/../folder/a", "file", "nowhere", "file/a"):
        with pytest.raises(ToolRefused):
            write_file(path, "after", root=root)
    assert everything(outside) == {"target": "before"}
    assert not any((root / "inner").iterdir())


def test_folders_and_files_in_the_way_are_refused(root: Path) -> None:
    write_file("a/b", "text", root=root)
    with pytest.raises(ToolRefused, match="`a` is a folder or a device; choose another name"):
        write_file("a", "text", root=root)
    with pytest.raises(ToolRefused, match="`b` is a file or a link, not a folder"):
        write_file("a/b/c", "text", root=root)
    os.mkfifo(root / "pipe")
    with pytest.raises(ToolRefused, match="choose another name"):
        write_file("pipe", "text", root=root)


def test_the_root_itself_may_be_reached_by_a_link(root: Path, tmp_path: Path) -> None:
    root.mkdir()
    (tmp_path / "link").symlink_to(root)
    assert write_file("a", "text", root=tmp_path / "link").location == str(root / "a")


def test_too_much_is_refused(root: Path) -> None:
    write_file("a", "ä" * 50, root=root, max_bytes=100)
    with pytest.raises(ToolRefused, match="has 102 bytes, at most 100") as caught:
        write_file("a", "ä" * 51, root=root, max_bytes=100)
    assert (caught.value.detail.field, caught.value.detail.size) == ("content", 102)
    assert everything(root) == {"a": "ä" * 50}


def test_a_failed_write_leaves_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_file("a", "before", root=root)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_file("a", "after", root=root)
    assert everything(root) == {"a": "before"}


def test_readers_see_the_old_file_or_the_new_one(root: Path) -> None:
    texts = {"a" * 100_000, "b" * 100_000}
    write_file("x", min(texts), root=root)
    seen: set[str] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add((root / "x").read_text())

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(30):
        for text in texts:
            write_file("x", text, root=root)
    done.set()
    reader.join()
    assert seen <= texts


parts = st.sampled_from(["..", ".", "", "a", "b", "link", "~", "a\\b", "C:", "\0", "-rf", ".hidden"]) | st.text(
    max_size=5
)


@given(path=st.lists(parts, max_size=6).map("/".join) | st.text())
def test_no_path_leaves_the_root(tmp_path: Path, path: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir(exist_ok=True)
    outside.mkdir(exist_ok=True)
    if not (root / "link").is_symlink():
        (root / "link").symlink_to(outside)
    try:
        saved = write_file(path, "text", root=root)
    except ToolRefused:
        pass
    else:
        assert Path(saved.location).resolve().is_relative_to(root)
        assert Path(saved.location).read_text() == "text"
    assert {entry.name for entry in tmp_path.iterdir()} == {"root", "outside"}
    assert not any(outside.iterdir())


async def test_the_tool_saves_where_the_worker_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    saved = await run_tool(save_file, {"path": "a.md", "content": "text"})
    assert saved.location == str(tmp_path / ".llmflow/files/a.md")
    assert everything(tmp_path) == {".llmflow/files/a.md": "text"}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"content": "x"}, "path"),
        ({"path": "a"}, "content"),
        ({"path": 3, "content": "x"}, "path"),
        ({"path": "a", "content": "x", "root": "/"}, "root"),
    ],
)
async def test_the_tool_checks_its_arguments(arguments: dict[str, object], field: str) -> None:
    with pytest.raises(ToolArgumentsInvalid) as caught:
        await run_tool(save_file, arguments)  # type: ignore[arg-type]  # that is the point
    assert caught.value.detail.field == field
