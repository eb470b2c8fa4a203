"""An App with one workflow that has guards of every kind."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel
from temporalio import workflow

from llmflow import flow
from llmflow.flow.patterns import Reask, Reject, Repair, guarded
from tests.integration.hello.app import app as hello


class Watch(BaseModel):
    case: str
    name: str


@workflow.defn
class Watched:
    """Greets somebody, with the guards that are asked for."""

    @workflow.run
    async def run(self, watch: Watch) -> str:
        unchecked: Any = guarded  # Any: a type checker refuses these guards
        cases: dict[str, Callable[[str], Awaitable[str]]] = {
            "input": guarded(self.greet, before=[tidy, no_robot]),
            "output": guarded(self.greet, after=[quiet, polite]),
            "twice": guarded(self.greet, after=[polite], reasks=2),
            "untold": unchecked(self.greet_once, after=[polite]),
            "asks": guarded(self.greet, after=[self.ask_another]),
            "wrong": unchecked(self.greet, after=[lambda text: len(text) > 3]),
        }
        return await cases[watch.case](watch.name)

    async def greet(self, name: str, *, messages: Sequence[flow.Message] = ()) -> str:
        return (await flow.complete("hello/greet", {"name": name}, messages=messages)).output

    async def greet_once(self, name: str) -> str:
        return await self.greet(name)

    async def ask_another(self, text: str) -> Reject | None:
        """A guard that asks a model."""
        said = await flow.complete("hello/part", {"name": text})
        return None if said.output == "fine" else Reject(said.output)


def tidy(name: str) -> Repair[str]:
    return Repair(name.strip())


def no_robot(name: str) -> Reject | None:
    return Reject("robots are not greeted") if name == "robot" else None


def quiet(text: str) -> Repair[str] | None:
    return Repair(text.lower()) if text.isupper() else None


def polite(text: str) -> Reask | None:
    return None if "please" in text else Reask(f"{text!r} is not polite")


app = replace(hello, workflows=[Watched])
