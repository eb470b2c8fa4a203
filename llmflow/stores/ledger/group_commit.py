"""Doing things together that come at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class GroupCommit(Generic[T]):
    """Hands things to `do` in batches: what comes while one batch is being done is the next one.

    Args:
        do: What it raises, all callers of that batch get.
        most: In one batch.
    """

    def __init__(self, do: Callable[[Sequence[T]], Awaitable[None]], most: int) -> None:
        self._do = do
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._working: asyncio.Task[None] | None = None

    async def add(self, thing: T) -> None:
        """Return when it is done. It is done even if the caller is cancelled meanwhile."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((thing, done))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        await asyncio.shield(done)

    async def finish(self) -> None:
        """Wait until everything is done."""
        if self._working:
            await self._working

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                await self._do([thing for thing, _ in batch])
            except Exception as error:  # of whatever kind: it is theirs who wait, and the next batch is not to blame
                for _, done in batch:
                    done.set_exception(error)
            else:
                for _, done in batch:
                    done.set_result(None)
