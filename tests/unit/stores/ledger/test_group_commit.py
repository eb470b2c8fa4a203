"""Group commit: rows that arrive together are written together, whatever is cancelled or fails meanwhile."""

import asyncio
from collections.abc import Sequence

import pytest

from llmflow.stores.ledger.group_commit import GroupCommit


class Slow:
    """Blocks until it is released, and records what it was given."""

    def __init__(self) -> None:
        self.given: list[list[int]] = []
        self.may = asyncio.Event()

    async def do(self, things: Sequence[int]) -> None:
        self.given.append([*things])
        await self.may.wait()
        if 13 in things:
            raise ValueError("no luck")


async def add(commits: GroupCommit[int], things: Sequence[int]) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(commits.add(thing)) for thing in things]
    await asyncio.sleep(0)
    return tasks


async def test_what_comes_meanwhile_is_the_next_group() -> None:
    slow = Slow()
    commits = GroupCommit(slow.do, most=3)
    first = await add(commits, [0])
    await asyncio.sleep(0)
    rest = await add(commits, range(1, 6))
    slow.may.set()
    await asyncio.gather(*first, *rest)
    assert slow.given == [[0], [1, 2, 3], [4, 5]]


async def test_who_goes_away_takes_nothing_along() -> None:
    slow = Slow()
    commits = GroupCommit(slow.do, most=3)
    tasks = await add(commits, range(5))
    tasks[0].cancel()
    tasks[4].cancel()
    await asyncio.sleep(0)
    slow.may.set()
    await asyncio.gather(*tasks[1:4])
    await commits.finish()
    assert slow.given == [[0, 1, 2], [3, 4]]
    assert tasks[0].cancelled()


async def test_an_error_is_of_its_own_group() -> None:
    slow = Slow()
    slow.may.set()
    commits = GroupCommit(slow.do, most=2)
    tasks = await add(commits, [12, 13, 14])
    said = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in said] == [ValueError, ValueError, type(None)]


async def test_there_may_be_nothing_to_finish() -> None:
    await GroupCommit(Slow().do, most=1).finish()


async def test_it_works_again_after_a_rest() -> None:
    slow = Slow()
    slow.may.set()
    commits = GroupCommit(slow.do, most=1)
    with pytest.raises(ValueError, match="no luck"):
        await commits.add(13)
    await commits.add(1)
    await commits.finish()
    assert slow.given == [[13], [1]]
