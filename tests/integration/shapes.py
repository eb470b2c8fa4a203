"""An App with one workflow that has every pattern."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from enum import Enum

from pydantic import BaseModel
from temporalio import workflow

from llmflow import flow
from llmflow.errors import GuardRejected, InputInvalid, VoteUndecided
from llmflow.flow.patterns import (
    Flow,
    Reject,
    chain,
    evaluate,
    gate,
    guarded,
    orchestrate,
    route,
    sections,
    vote,
)
from llmflow.tools import tool
from tests.integration.hello.app import app as hello
from tests.integration.hello.tools import Place, locate

begun = asyncio.Semaphore(0)
"""Each call of `hang`. For this process, and outside of the sandbox."""


class Kind(Enum):
    NAME = "name"
    NUMBER = "number"
    OTHER = "other"


class Verdict(BaseModel):
    score: float
    feedback: str


class Asked(BaseModel):
    shape: str
    text: str


class State(BaseModel):
    names: list[str]
    is_enough: bool = False


@tool
async def hang(text: str) -> str:
    """Never end."""
    begun.release()
    await asyncio.Event().wait()
    return text


@workflow.defn
class Shapes:
    """Runs the pattern that is asked for, and says what it gave or why it stopped."""

    @workflow.run
    async def run(self, asked: Asked) -> str:
        try:
            return str(await self.shapes()[asked.shape](asked.text))
        except (GuardRejected, InputInvalid, VoteUndecided) as error:
            return f"{type(error).__name__}: {error.message}"

    def shapes(self) -> dict[str, Callable[[str], Awaitable[object]]]:
        improve = evaluate(self.draft, self.judge, until=5)
        handlers = {Kind.NAME: self.greet, Kind.NUMBER: self.shout}
        return {
            "chain": chain(gate(one_word), self.greet, self.shout),
            "route": route(self.classify, handlers, default=self.echo),
            "unhandled": route(self.unannotated, handlers),
            "sections": sections(self.greet, self.shout),
            "tool": chain(self.place, locate),
            "vote": vote(self.greet, n=3),
            "two of four": vote(self.greet, n=4, agree=2),
            "orchestrate": orchestrate(self.plan, self.greet, self.combine, max_tasks=3),
            "no plan": orchestrate(self.nothing, self.greet, self.combine),
            "evaluate": improve,
            "no judge": evaluate(self.draft, self.no_judge, until=5),
            "chat": chain(self.begin, guarded(self.chat, after=[no_echo])),
            "all": self.all_at_once,
            "flow": self.flow,
            "nested": chain(
                route(self.classify, handlers, default=self.echo), sections(improve, vote(self.greet)), self.echo
            ),
        }

    async def greet(self, name: str) -> str:
        return (await flow.complete("hello/greet", {"name": name})).output

    async def place(self, city: str) -> Place:
        return Place(city=city)

    async def shout(self, text: str) -> str:
        return text.upper()

    async def echo(self, value: object) -> str:
        return str(value)

    async def classify(self, text: str) -> Kind:
        return Kind.NUMBER if text.isdigit() else Kind.NAME if text.isalpha() else Kind.OTHER

    async def unannotated(self, text: str):  # what it says is known when it says it
        return await self.classify(text)

    async def plan(self, text: str) -> list[str]:
        return text.split()

    async def combine(self, text: str, greetings: Sequence[str]) -> str:
        return f"{text}: {', '.join(greetings)}"

    async def nothing(self, text: str) -> list[str]:
        return []

    async def begin(self, text: str) -> Sequence[flow.Message]:
        return [flow.Message.user(text)]

    async def chat(self, messages: Sequence[flow.Message]) -> str:
        return (await flow.complete("hello/greet", {"name": "chat"}, messages=messages)).output

    async def all_at_once(self, text: str) -> list[object]:
        """Every pattern, and none of them ends."""
        hangs: list[Callable[[str], Awaitable[object]]] = [
            chain(self.echo, hang),
            route(self.classify, {Kind.NAME: hang}, default=hang),
            sections(hang, hang),
            vote(hang),
            orchestrate(self.plan, hang, self.combine),
            evaluate(guarded(self.hanging_draft, after=[]), self.judge, until=5),
            Flow[str](self.shout, hang),
            guarded(hang),
        ]
        return await asyncio.gather(*(one(text) for one in hangs))

    async def hanging_draft(self, name: str, *, messages: Sequence[flow.Message] = ()) -> str:
        return await flow.call_tool(hang, name)

    async def draft(self, name: str, *, messages: Sequence[flow.Message] = ()) -> str:
        return (await flow.complete("hello/greet", {"name": name}, messages=messages)).output

    async def judge(self, name: str, draft: str) -> Verdict:
        return Verdict(score=len(draft), feedback=f"{draft!r} is too short for {name}")

    async def no_judge(self, name: str, draft: str) -> Verdict:
        return (await flow.complete("hello/part", {"name": draft}, output=Verdict, repairs=0)).output

    async def flow(self, text: str) -> State:
        steps = (self.next_name, self.next_name, self.next_name)
        return await Flow[State](*steps, stop=lambda state: state.is_enough)(State(names=[text]))

    async def next_name(self, state: State) -> State:
        name = await self.greet(state.names[-1])
        return State(names=[*state.names, name], is_enough=name == "last")


def one_word(text: str) -> Reject | None:
    return Reject(f"{text!r} has a space") if " " in text else None


def no_echo(text: str) -> Reject | None:
    return Reject("an echo") if text == "ana" else None


app = replace(hello, workflows=[Shapes], tools=[*hello.tools, hang])
