"""Activities of a user's own in a saga."""

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client as TemporalClient
from temporalio.worker import Worker

from llmflow import flow
from llmflow.app import App
from llmflow.client import Client
from llmflow.config import Settings
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import activities_of, assert_replays
from llmflow.worker import LLMFlowPlugin
from tests.helpers.waiting import until

A_MINUTE = timedelta(minutes=1)


class Desk:
    """Books until it is let go. It does not beat, so it never hears that it is cancelled."""

    def __init__(self) -> None:
        self.books, self.may_end = asyncio.Event(), asyncio.Event()

    @activity.defn
    async def book(self) -> None:
        self.books.set()
        await self.may_end.wait()

    @activity.defn
    async def cancel(self) -> None: ...


@workflow.defn
class Booking:
    """One action."""

    @workflow.run
    async def run(self) -> None:
        async with flow.Saga() as saga:
            await saga.do(self.book, undo=self.cancel)

    async def book(self) -> None:
        await workflow.execute_activity("book", start_to_close_timeout=A_MINUTE)

    async def cancel(self) -> None:
        await workflow.execute_activity("cancel", start_to_close_timeout=A_MINUTE)


app = App(name="booking", workflows=[Booking])


async def test_nothing_is_undone_that_is_still_being_done(temporal: str, tmp_path: Path) -> None:
    plugin = LLMFlowPlugin(
        app, settings=Settings(home=tmp_path, store=None), models=ModelCatalogue.only("scripted"), providers={}
    )
    client = await TemporalClient.connect(temporal, plugins=[plugin])
    desk, queue = Desk(), f"booking-{uuid.uuid4()}"
    async with Worker(client, task_queue=queue, workflows=[Booking], activities=[desk.book, desk.cancel]):
        run = await Client(client, queue).start(Booking.run, id=queue)
        await desk.books.wait()
        await run.cancel()

        async def heard() -> bool:
            events = [event.event_type for event in (await run.handle.fetch_history()).events]
            return EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED in events

        await until(heard)
        assert len(await activities_of(run)) == 1, "in the task that cancels it, nothing is undone"
        desk.may_end.set()

        async def ended() -> bool:
            return (await run.status()).state == "cancelled"

        await until(ended)
        assert len(await activities_of(run)) == 2
        await assert_replays(run, app)
