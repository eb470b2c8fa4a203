"""Outbox: files are whole or not there, and their lines may hold any text of a model."""

import errno
import os
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import pytest

from llmflow.stores.ledger.outbox import Outbox


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "a" / "outbox")


async def emptied(outbox: Outbox) -> list[Sequence[str]]:
    return [lines async for lines in outbox.each()]


async def test_what_was_put_comes_out_once(outbox: Outbox) -> None:
    await outbox.put(["one", "two"])
    await outbox.put(["three"])
    assert sorted(map(list, await emptied(outbox))) == [["one", "two"], ["three"]]
    assert await emptied(outbox) == []
    assert list(outbox.folder.iterdir()) == []


async def test_an_outbox_that_was_never_used_is_empty(outbox: Outbox) -> None:
    assert await emptied(outbox) == []


async def test_lines_end_where_they_were_put(outbox: Outbox) -> None:
    lines = ["a\u2028b", "c\x85d", "e\x0bf\x1cg", "\r", "ü€😀"]
    await outbox.put(lines)
    assert await emptied(outbox) == [lines]


async def test_an_empty_line_is_nothing(outbox: Outbox) -> None:
    outbox.folder.mkdir(parents=True)
    (outbox.folder / "mended.jsonl").write_text("one\n\ntwo\n")
    assert await emptied(outbox) == [["one", "two"]]


async def test_what_could_not_be_used_stays(outbox: Outbox) -> None:
    await outbox.put(["one"])
    with pytest.raises(LookupError):
        async with aclosing(outbox.each()) as files:
            async for _ in files:
                raise LookupError("the database is away")
    assert await emptied(outbox) == [["one"]]


async def test_two_may_empty_it_at_once(outbox: Outbox) -> None:
    for number in range(3):
        await outbox.put([str(number)])
    seen: list[str] = []
    async with aclosing(outbox.each()) as slow:
        seen += await anext(slow)
        seen += [line for lines in await emptied(outbox) for line in lines]
        seen += [line async for lines in slow for line in lines]
    assert sorted({*seen}) == ["0", "1", "2"]
    assert list(outbox.folder.iterdir()) == []


async def test_what_is_refused_waits_for_a_person(outbox: Outbox) -> None:
    path = await outbox.refuse(["{"])
    assert await emptied(outbox) == []
    assert path.read_text() == "{"


async def test_a_full_disk_leaves_no_half_file(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)  # where a full disk is often noticed
    with pytest.raises(OSError, match="No space left"):
        await outbox.put(["one"])
    assert list(outbox.folder.iterdir()) == []


async def test_a_folder_that_cannot_be_written(outbox: Outbox) -> None:
    outbox.folder.parent.write_text("a file is in the way")
    with pytest.raises(OSError, match="outbox"):
        await outbox.put(["one"])
