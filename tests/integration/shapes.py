"""An App with one workflow that has every pattern."""

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
    orchestrate,
    route,
    sections,
    vote,
)
from tests.integration.hello.app import app as hello
from tests.integration.hello.tools import Place, locate


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
            "evaluate": improve,
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

    async def draft(self, name: str, *, messages: Sequence[flow.Message] = ()) -> str:
        return (await flow.complete("hello/greet", {"name": name}, messages=messages)).output

    async def judge(self, name: str, draft: str) -> Verdict:
        return Verdict(score=len(draft), feedback=f"{draft!r} is too short for {name}")

    async def flow(self, text: str) -> State:
        steps = (self.next_name, self.next_name, self.next_name)
        return await Flow[State](*steps, stop=lambda state: state.is_enough)(State(names=[text]))

    async def next_name(self, state: State) -> State:
        name = await self.greet(state.names[-1])
        return State(names=[*state.names, name], is_enough=name == "last")


def one_word(text: str) -> Reject | None:
    return Reject(f"{text!r} has a space") if " " in text else None


app = replace(hello, workflows=[Shapes])
