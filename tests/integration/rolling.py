"""One workflow before and after a deploy that changes models, tools, prompts and the class of an output."""

import asyncio
from typing import TypeVar

from pydantic import BaseModel
from temporalio import workflow

from llmflow import flow
from llmflow.app import App
from llmflow.tools import tool

L = TypeVar("L", bound=BaseModel)
ASK = flow.Prompt("rolling/ask", user="Label {{ parcel }}.")


class Label(BaseModel):
    """Label of a parcel, before the deploy."""

    text: str


class TonedLabel(BaseModel):
    """Label of a parcel, after the deploy."""

    text: str
    tone: str = "plain"


@tool
async def weigh(parcel: str) -> int:
    """Weigh a parcel; only newer workers have it."""
    return len(parcel)


async def ship(parcel: str, label: type[L], released: asyncio.Event) -> list[str]:
    """Ask for a label, wait for the release, and use what an older worker lacks: a tool, a model, a prompt."""
    first = await flow.complete(ASK, {"parcel": parcel}, model="old:small", output=label)
    await workflow.wait_condition(released.is_set)
    weight, second, printed = await asyncio.gather(
        flow.call_tool(weigh, parcel),
        flow.complete(ASK, {"parcel": parcel}, model="new:big", output=label),
        flow.render("rolling/print", {"parcel": parcel}),
    )
    third = await flow.complete(ASK, {"parcel": parcel}, model="old:small", output=label)
    texts = [str(one.output.model_dump()["text"]) for one in (first, second, third)]
    return [*texts, second.model, str(weight), printed.messages[0].text]


class Released:
    """The release, for which both versions of the workflow wait."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    @workflow.signal
    def release(self) -> None:
        """Let the run go on."""
        self.released.set()


@workflow.defn(name="Ship")
class Before(Released):
    """The workflow of older workers."""

    @workflow.run
    async def run(self, parcel: str) -> list[str]:
        """See `ship`."""
        return await ship(parcel, Label, self.released)


@workflow.defn(name="Ship")
class After(Released):
    """The workflow of newer workers: the same, with another class of output."""

    @workflow.run
    async def run(self, parcel: str) -> list[str]:
        """See `ship`."""
        return await ship(parcel, TonedLabel, self.released)


older = App(name="rolling", workflows=[Before])
