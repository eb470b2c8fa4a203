"""Log of a worker's run events: it never fails or delays what it is told about."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from datetime import UTC, datetime
from typing import Protocol

from llmflow.errors import LLMFlowError
from llmflow.stores.events.streams import KEPT_FOR, EventStreams, Told
from llmflow.types.events import RunEvent, TextDelta

TOGETHER = 0.05
"""Seconds between two writes: events in between are written together. The first delta of a call does not wait."""
RARELY = 1.0
"""Seconds between two writes while no stream is read and no reader comes."""
ASKS_EVERY = 1.0
"""Seconds between two questions if a stream is read, while calls have deltas that nobody has read."""
WAITING = 10_000
"""Events that wait for a store that is away. Then the oldest are lost."""
GROUP = 500
"""Events of one write."""
PAUSE = 5.0
"""Seconds between two attempts to write to a store that is away."""
LAST = 2.0
"""Seconds for the last write, when the worker stops."""
PRUNES_EVERY = 3600.0
"""Seconds."""

_log = logging.getLogger("llmflow.events")


class Pieces(Protocol):
    """The deltas of a call that streams."""

    @property
    def stream(self) -> str:
        """Stream of the call."""
        ...

    @property
    def is_new(self) -> bool:
        """True if there are deltas that were not taken yet."""
        ...

    def take(self) -> TextDelta | None:
        """Return the deltas since the last time as one event."""
        ...

    def give_back(self, taken: TextDelta) -> None:
        """Keep deltas that were not written for the next time."""
        ...


class EventLog:
    """Writes events in the background, in groups. Of a broken store, the log of the worker has one warning.

    Each write tells which streams are read. The deltas of others stay in memory: a stream that nobody reads costs
    a row for the begin and the end of each step and call, in one transaction a second for all of the worker.
    """

    def __init__(self, streams: EventStreams, *, pause: float = PAUSE) -> None:
        self._streams = streams
        self._pause = pause
        self._waiting: deque[Told] = deque(maxlen=WAITING)
        self._calls: dict[int, Pieces] = {}
        self._read: frozenset[str] = frozenset()
        self._has_come: Callable[[], bool] = _nobody
        """Tells if a reader may have come."""
        self._news, self._urgent = asyncio.Event(), asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_told = self._is_away = self._asks_now = False

    def tell(self, stream: str, event: RunEvent) -> None:
        """Add an event. Any thread may call it: workflow code runs in threads of its own."""
        self._waiting.append(Told(stream=stream, event=event))
        self._wake(is_urgent=self._has_come())

    def begin(self, call: Pieces) -> None:
        """Register a call that may stream."""
        self._calls[id(call)] = call

    def heard(self, call: Pieces, *, is_first: bool) -> None:
        """Note a piece of a call. The first one of a stream that is read is written at once."""
        is_read = call.stream in self._read
        if not is_read and self._has_come():
            self._asks_now = True
        if is_first or is_read or self._asks_now:
            self._wake(is_urgent=(is_first and is_read) or self._asks_now)

    def end(self, call: Pieces) -> None:
        """Forget a call. Its last deltas are an event."""
        del self._calls[id(call)]
        if last := call.take():
            self.tell(call.stream, last)

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[None]:
        """Write events for as long as the context is open."""
        self._loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(work) for work in (self._work(), self._notice(), self._prune())]
        try:
            yield
        finally:
            self._loop = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST):
                    while self._waiting and await self._write():
                        pass
            await self._streams.close()

    def _wake(self, *, is_urgent: bool = False) -> None:
        if (is_urgent or not self._is_told) and (loop := self._loop):
            self._is_told = True
            with suppress(RuntimeError):  # the loop is closed: the worker has stopped
                loop.call_soon_threadsafe(self._woken, is_urgent, context=Context())

    def _woken(self, is_urgent: bool) -> None:
        self._news.set()
        if is_urgent:
            self._urgent.set()

    async def _work(self) -> None:
        while True:
            await self._until_news()
            if not await self._write():
                await asyncio.sleep(self._pause)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(TOGETHER if self._read else RARELY):
                    await self._urgent.wait()

    async def _until_news(self) -> None:
        """Wait for events, or for the time of the next question."""
        while not self._has_news():
            self._is_told = False
            self._news.clear()
            if self._has_news():  # told by another thread, just before
                return
            asks = any(call.is_new for call in self._calls.values())
            try:
                async with asyncio.timeout(ASKS_EVERY if asks else None):
                    await self._news.wait()
            except TimeoutError:
                return

    def _has_news(self) -> bool:
        return bool(self._waiting or self._asks_now) or any(
            call.is_new and call.stream in self._read for call in self._calls.values()
        )

    def _put_back(self, told: Sequence[Told]) -> None:
        """Put events back before newer ones, as far as there is room: the oldest are lost."""
        room = (self._waiting.maxlen or 0) - len(self._waiting)
        self._waiting.extendleft(reversed(told[max(0, len(told) - room) :]))

    async def _write(self) -> bool:
        """Write what waits, or ask which streams are read; return False if the store is away."""
        self._urgent.clear()
        self._asks_now = False
        told = [self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))]
        # Events that still wait may be the begin of these calls.
        streaming = [call for call in self._calls.values() if call.stream in self._read and not self._waiting]
        taken = [(call, piece) for call in streaming if (piece := call.take())]
        told_now = [*told, *(Told(stream=call.stream, event=piece) for call, piece in taken)]
        before, now = self._read, frozenset[str]()
        try:
            now = await (self._streams.write(told_now) if told_now else self._streams.read_now())
        except asyncio.CancelledError:  # the worker stops, and writes once more
            self._put_back(told)
            raise
        except Exception as error:  # of any class: a log never fails what it is about
            self._put_back(told)
            self._warn(error)
            return False
        finally:
            self._read = now
            for call, piece in taken:
                if call.stream not in now:
                    call.give_back(piece)
        if self._is_away:
            _log.info("run events are written again")
        self._is_away = False
        if any(call.is_new and call.stream in now - before for call in self._calls.values()):
            self._urgent.set()
        return True

    def _warn(self, error: Exception) -> None:
        if not self._is_away:
            reason = error.message if isinstance(error, LLMFlowError) else repr(error)
            _log.warning("run events cannot be written, and calls go on without them: %s", reason)
        self._is_away = True

    async def _notice(self) -> None:
        while True:
            try:
                async with self._streams.noticing() as self._has_come:
                    await asyncio.Event().wait()
            except Exception:  # of any class: the next write tells of readers, too
                self._has_come = _nobody
            await asyncio.sleep(self._pause)

    async def _prune(self) -> None:
        while True:
            with suppress(Exception):  # of any class: the next time may succeed, and writes report what is wrong
                await self._streams.prune(datetime.now(UTC) - KEPT_FOR)
            await asyncio.sleep(PRUNES_EVERY)


def _nobody() -> bool:
    return False
