"""Workflows before and after a change of their classes: some of what was recorded fits, and some does not."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from enum import StrEnum, auto
from typing import Literal

from pydantic import BaseModel, field_validator
from temporalio import workflow

from llmflow import flow
from llmflow.app import App
from llmflow.flow import machine
from llmflow.tools import tool
from tests.integration.fanned import Plan
from tests.integration.hello.app import app as hello
from tests.integration.machinery import Job
from tests.integration.shifts import Plan as Names


class Text(BaseModel):
    text: str


class Mood(BaseModel):
    """`Text`, with a field more."""

    text: str
    mood: str


class Calm(BaseModel):
    """`Mood`, mended."""

    text: str
    mood: str = "calm"


class Loud(BaseModel):
    text: str

    @field_validator("text")
    @classmethod
    def _is_loud(cls, text: str) -> str:
        if not text.isupper():
            raise ValueError("louder, please")
        return text


class LoudAndCalm(Loud):
    """`Loud`, with a field more, which need not be there."""

    mood: str = "calm"


@tool
async def find(name: str) -> Text:
    """Find a text."""
    return Text(text=name)


@tool(name="find")
async def find_mood(name: str) -> Mood:
    """Find a text and its mood."""
    return Mood(text=name, mood="good")


@tool
async def book(name: str) -> str:
    """Book a place."""
    return name


@tool
async def cancel(name: str) -> str:
    """Cancel it."""
    return name


async def work(way: str, kind: type[BaseModel], found: Callable[[str], Awaitable[BaseModel]]) -> str:
    """Ask a tool; or a model, where the code handles every error."""

    async def ask(name: str) -> object:
        try:
            return (await flow.complete("hello/greet", {"name": name}, output=kind)).output
        except Exception as error:  # of any class, as people write it
            return error

    if way == "tool":
        said = await found("ana")
    else:
        async with flow.Saga() as saga:
            await saga.do(book, "place", undo=cancel)
            said = (await flow.fan_out(["ana"], ask, on_error="collect")).outcomes[0].value
    await flow.approval("publish", form=kind, quorum=2)
    return repr(said)


async def found_text(name: str) -> Text:
    return await flow.call_tool(find, name)


async def found_mood(name: str) -> Mood:
    return await flow.call_tool(find_mood, name)


@workflow.defn(name="Outgrown")
class Before:
    @workflow.run
    async def run(self, way: str) -> str:
        return await work(way, Text, found_text)


@workflow.defn(name="Outgrown")
class Wider:
    @workflow.run
    async def run(self, way: str) -> str:
        return await work(way, Mood, found_mood)


@workflow.defn(name="Outgrown")
class OtherForm:
    """The classes of answers are those of before."""

    @workflow.run
    async def run(self, way: str) -> str:
        await flow.call_tool(find, "ana")
        await flow.approval("publish", form=Mood, quorum=2)
        return ""


@workflow.defn(name="Outgrown")
class Defaulted:
    @workflow.run
    async def run(self, way: str) -> str:
        return await work(way, Calm, found_text)


@workflow.defn(name="Outgrown")
class Louder:
    @workflow.run
    async def run(self, way: str) -> str:
        return await work(way, Loud, found_text)


@workflow.defn(name="Outgrown")
class LouderAndCalm:
    @workflow.run
    async def run(self, way: str) -> str:
        return await work(way, LoudAndCalm, found_text)


@workflow.defn(name="Moving")
class Moving:
    """Goes on, on another task queue."""

    @workflow.run
    async def run(self, state: Text) -> str:
        if state.text.startswith("to "):
            workflow.continue_as_new(Text(text="there"), task_queue=state.text.removeprefix("to "))
        return state.text


@workflow.defn(name="Moving")
class MovingWider:
    @workflow.run
    async def run(self, state: Mood) -> str:
        return state.text


@workflow.defn(name="Moving")
class MovingWithMore:
    @workflow.run
    async def run(self, state: Text, more: str) -> str:
        return state.text + more


@workflow.defn(name="Fan")
class OtherResult:
    """`Fan` of `fanned`, whose items have another result."""

    @workflow.init
    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @workflow.run
    async def run(self, plan: Plan) -> None:
        await flow.fan_out(range(plan.items), self.look_at, limit=plan.limit, on_error="collect")

    async def look_at(self, number: int) -> Mood:
        return await flow.call_tool(find_mood, str(number))


@workflow.defn(name="Fan")
class OtherItem:
    @workflow.init
    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @workflow.run
    async def run(self, plan: Plan) -> None: ...

    async def look_at(self, number: Text) -> Text:
        return number


@workflow.defn(name="Fan")
class NoMethod:
    @workflow.init
    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @workflow.run
    async def run(self, plan: Plan) -> None: ...


class State(StrEnum):
    WORK = auto()
    PAUSE = auto()
    DONE = auto()


class Laps(machine.Machine[Job]):
    """`Laps` of `machinery`, with another name for the state `rest`."""

    start = State.WORK
    ends = (State.DONE,)

    @machine.step(State.WORK)
    async def work(self, job: Job) -> Literal[State.PAUSE]:
        return State.PAUSE

    @machine.step(State.PAUSE)
    async def pause(self, job: Job) -> Literal[State.WORK, State.DONE]:
        return State.DONE


@workflow.defn(name="Shift")
class OtherStates:
    @workflow.run
    async def run(self, plan: Names) -> None:
        while plan.names:
            await Laps().run(Job(name=plan.names.pop(0), laps=plan.laps))


def app_of(kind: type) -> App:
    """The App of the tests, with that workflow alone."""
    return replace(hello, workflows=[kind], tools=[find, book, cancel])
