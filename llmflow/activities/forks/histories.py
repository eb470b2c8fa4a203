"""Histories of original runs: each is read once and cached while there is room."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from temporalio import activity
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from llmflow.activities.forks.recorded import RecordedRun, index
from llmflow.errors import ConfigInvalid, RunNotFound, ServerUnavailable
from llmflow.history.events import events_of, initiated
from llmflow.history.payloads import Payloads
from llmflow.history.recorded import Encoded, RecordedCall, decoded
from llmflow.types.approvals import Settled
from llmflow.types.base import changed
from llmflow.types.carried import Carried
from llmflow.types.constants import Constants
from llmflow.types.contracts import CARRIED, CONFIG, PLACE, RESOLVE, Activity
from llmflow.types.forks import Fork
from llmflow.types.refs import app_of

Out = TypeVar("Out")

KEPT_BYTES = 64 * 1024 * 1024
"""Default size limit of the cache."""

_Key = tuple[str, str, str | None]


@dataclass(frozen=True)
class Source:
    """A run whose results are reused: the original run, or a descendant."""

    run: RecordedRun
    before: int
    """Event before which reused calls were scheduled."""
    client: Client

    def call(self, activity_id: str, activity_type: str) -> RecordedCall | None:
        """Find the latest call of the activity that has a result."""
        return self.run.call(activity_id, activity_type, self.before)

    async def read(self, call: RecordedCall, payloads: Iterable[Encoded], types: list[Any] | None) -> list[Any]:
        """Decode payloads of a call as the given types. Any: both are the user's."""
        context = self._payloads.of_call(self.run.workflow_type, call)
        return await self._payloads.read(decoded(payloads), types, context)

    async def failure(self, recorded: Encoded) -> BaseException:
        """Decode the error with which a call failed."""
        return await self._payloads.failure(Failure.FromString(recorded))

    async def forked(self) -> Fork | None:
        """Return the fork that the run itself is."""
        if self.run.forked is None:
            return None
        [value] = await self._payloads.read(decoded([self.run.forked]), [Fork])
        return value

    async def pins(self) -> Carried:
        """Return the run's pins: those carried by its start, and those it resolved."""
        carried = await self._carried()
        prompts, models = dict(carried.prompts), dict(carried.models)
        for answer in await self._answers(RESOLVE, self.run.pins):
            prompts = {**answer.prompts, **prompts}
            for app in {app_of(name) for name in answer.prompts}:
                models[app] = {**answer.models, **models.get(app, {})}
        return Carried(prompts=prompts, models=models)

    async def settled(self) -> Sequence[Settled]:
        """Return the questions that were decided or expired before the event, in that order."""
        before = [payload for at, payload in self.run.settled if at < self.before]
        return await self._payloads.read(decoded(before), [Settled] * len(before))

    async def constants(self) -> Mapping[str, Constants]:
        """Return the run's constants by App: those carried by its start, and those it read."""
        read = await self._answers(CONFIG, self.run.constants)
        return {**(await self._carried()).config, **{one.app: one.values for one in read}}

    async def _answers(self, contract: Activity[Any, Out], local: Sequence[Encoded]) -> list[Out]:  # Any: of any input
        """Read the results of a local activity, and of the calls of it that other workers took."""
        context = self._payloads.of_local(self.run.workflow_type, contract.name)
        found = await self._payloads.read(decoded(local), [contract.output] * len(local), context)
        for call in (one for some in self.run.calls.values() for one in some if one.type == contract.name):
            found += await self.read(call, call.result or (), [contract.output])
        return found

    async def _carried(self) -> Carried:
        if self.run.carried is None:
            return Carried()
        [told] = decoded([self.run.carried])
        return await self._payloads.header(CARRIED, {CARRIED.name: told}) or Carried()

    @property
    def _payloads(self) -> Payloads:
        return Payloads(self.client, self.run.workflow_id)


class Histories:
    """Cache of original runs that this worker read lately.

    Args:
        kept: Size limit in bytes. The latest history is always kept.
    """

    def __init__(self, *, kept: int = KEPT_BYTES) -> None:
        self._kept = kept
        self._clients: list[Client] = []
        # Least recently used first. An open run is read again for each of its forks.
        self._runs: dict[_Key, asyncio.Task[RecordedRun]] = {}

    @asynccontextmanager
    async def serving(self, client: Client) -> AsyncGenerator[None]:
        """Keep the client while its worker runs. An activity that is not a coroutine cannot get its client itself."""
        self._clients.append(client)
        try:
            yield
        finally:
            self._clients.remove(client)
            if not self._clients:
                for reading in self._runs.values():
                    reading.cancel()
                self._runs.clear()

    @property
    def client(self) -> Client:
        """The client of the calling activity's namespace.

        Raises:
            ConfigInvalid: the worker has no lifespan of llmflow.
        """
        namespace = activity.info().namespace
        if (client := next((one for one in self._clients if one.namespace == namespace), None)) is None:
            raise ConfigInvalid("this worker cannot read histories: give its client llmflow.worker.LLMFlowPlugin(app)")
        return client

    async def lineage(self, fork: Fork) -> AsyncGenerator[tuple[Source, bool]]:
        """Yield the runs where an effect of the calling activity may stand: of a fork of a fork, those of both.

        Their whole histories count: an effect that was done after the step has been done. With each run goes whether it
        is itself a fork that keeps effects: it has called none, but may have taken a result.

        Raises:
            RunNotFound: a history was deleted.
            ServerUnavailable: the server does not return a history now.
        """
        following: Fork | None = fork if fork.before else None
        while following:
            before = await (await self._source(following.workflow_id, following.run_id, sys.maxsize)).forked()
            for source in await self.sources(changed(following, before=sys.maxsize, children=fork.children)):
                yield source, before is not None and not before.repeat_effects
            following = before

    async def sources(self, fork: Fork) -> Sequence[Source]:
        """Return the runs whose results the calling activity may reuse: one, or several for a batch of another range.

        Empty if the activity is in a child that the original run did not have.

        Raises:
            RunNotFound: the history was deleted.
            ServerUnavailable: the server does not return the history now.
        """
        found = [await self._source(fork.workflow_id, fork.run_id, fork.before)]
        for hop in fork.children:
            found = [
                await self._source(child.workflow_id, child.run_id, sys.maxsize)
                for parent in found
                for child in parent.run.below(hop, parent.before)
            ]
        return found

    async def _source(self, id: str, run_id: str, before: int) -> Source:
        whole, so_far = (id, run_id, None), (id, run_id, activity.info().workflow_run_id)
        key = whole if whole in self._runs else so_far
        reading = self._runs.pop(key, None) or asyncio.create_task(read_history(self.client, id, run_id))
        self._runs[key] = reading
        try:
            run = await asyncio.shield(reading)  # other activities await it as well
        finally:
            if reading.done() and (reading.cancelled() or reading.exception()):
                self._runs.pop(key, None)
        if run.closed and self._runs.pop(so_far, None):
            self._runs[whole] = reading
        self._make_room()
        return Source(run, before, self.client)

    def _make_room(self) -> None:
        sizes = {key: one.result().size for key, one in self._runs.items() if one.done()}
        for key in list(sizes)[:-1]:
            if sum(sizes.values()) <= self._kept:
                return
            del self._runs[key], sizes[key]


@contextmanager
def readable_history(id: str, missing: str) -> Generator[None]:
    """Raise errors of ours while a history is read.

    Args:
        id: Workflow id of the run.
        missing: Message for a history that was deleted.

    Raises:
        RunNotFound: the history was deleted.
        ServerUnavailable: the server does not return the history now.
    """
    try:
        yield
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise RunNotFound(missing) from None
        raise ServerUnavailable(f"the history of run {id!r} cannot be read now ({error.message})") from error


async def read_history(client: Client, id: str, run_id: str) -> RecordedRun:
    """Read and index a run's history.

    Raises:
        RunNotFound: the history was deleted.
        ServerUnavailable: the server does not return the history now.
    """
    missing = (
        f"run {id!r} ({run_id}), whose results this fork reuses, does not exist: it was deleted, or is older than the "
        "namespace's retention period. Start a new run, in which every call is paid"
    )
    with readable_history(id, missing):
        events = [event async for event in events_of(client, id, run_id)]
    return index(id, events, await _places(client, events))


async def _places(client: Client, events: Iterable[HistoryEvent]) -> dict[int, str]:
    """Return the addresses of a run's children, by event."""
    places: dict[int, str] = {}
    for event in events:
        if child := initiated(event):
            place = await Payloads(client, child.workflow_id).header(PLACE, child.header.fields)
            if place is not None:
                places[event.event_id] = place
    return places
