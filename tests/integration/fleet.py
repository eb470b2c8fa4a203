"""An App before and after a deploy: the older one lacks a tool, a prompt, a provider."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from llmflow import flow
from llmflow.app import App
from llmflow.errors import ToolNotFound, ToolRefused
from llmflow.tools import tool


@tool(retry_policy=RetryPolicy(maximum_attempts=1))
async def weigh(parcel: str) -> int:
    """Weigh a parcel."""
    return len(parcel)


@workflow.defn
class Deliver:
    """Uses a tool, a model and a prompt, all at once."""

    @workflow.run
    async def run(self, parcel: str) -> list[str]:
        weight, answer = await asyncio.gather(
            flow.call_tool(weigh, parcel), flow.complete(flow.Prompt("fleet/ask", user="hi", model="new:big"))
        )
        rendered = await flow.render("fleet/label", {"parcel": parcel})
        return [str(weight), answer.model, rendered.messages[0].text]


@workflow.defn
class Impatient:
    """Gives a tool two seconds."""

    @workflow.run
    async def run(self) -> str:
        try:
            await flow.call_tool(weigh.with_options(schedule_to_close_timeout=timedelta(seconds=2)), "one")
        except ToolNotFound as error:
            return error.message
        return "weighed"


@tool
async def send(parcel: str) -> None:
    """Send a parcel."""


@tool
async def fetch_back(parcel: str) -> None:
    """Undo `send`."""


@tool
async def refuse(parcel: str) -> None:
    """Refuse it."""
    raise ToolRefused(f"{parcel}: no")


@tool
async def pay_back(parcel: str) -> None:
    """Undo `refuse`."""


@workflow.defn
class Return:
    """Has to undo both, the second with a tool that an older worker lacks."""

    @workflow.run
    async def run(self, parcel: str) -> None:
        async with flow.Saga() as saga:
            await saga.do(send, parcel, undo=fetch_back)
            await saga.do(refuse, parcel, undo=pay_back)


older = App(name="fleet", workflows=[Deliver, Impatient, Return], tools=[send, fetch_back, refuse])
