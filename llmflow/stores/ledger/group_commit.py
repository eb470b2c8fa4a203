"""Group commit: rows that arrive at the same time are written in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class GroupCommit(Generic[T]):
    """Collects things while `do` works, and passes them together to its next call.

    Args:
        do: Writes a group. If it raises, every caller of that group gets the error.
        most: Maximum things in one group.
    """

    def __init__(self, do: Callable[[Sequence[T]], Awaitable[object]], most: int) -> None:
        self._do = do
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._working: asyncio.Task[None] | None = None

    async def add(self, thing: T) -> None:
        """Return when the thing is written. It is written even if the caller is cancelled meanwhile."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((thing, done))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        await asyncio.shield(done)

    async def finish(self) -> None:
        """Wait until everything is written."""
        if self._working:
            await self._working

    async def _work(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                await self._do([thing for thing, _ in group])
            except (
                Exception
            ) as error:  # any error: it goes to the callers of this group, and must not fail the next one
                for _, done in group:
                    done.set_exception(error)
            else:
                for _, done in group:
                    done.set_result(None)
