"""Machines whose histories get long, and what is done beside them."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum, auto
from typing import Literal

from pydantic import BaseModel, Field
from temporalio import workflow

from llmflow import flow
from llmflow.flow import machine
from tests.integration.machinery import Job, Laps, note
from tests.integration.machinery import app as machinery


class Plan(BaseModel):
    names: list[str]
    laps: int = 8


@workflow.defn
class Shift:
    """Machines of one class, one after the other. It uses up its own input on the way."""

    @workflow.run
    async def run(self, plan: Plan) -> list[list[str]]:
        said: list[list[str]] = []
        while plan.names:
            done = await Laps().run(Job(name=plan.names.pop(0), laps=plan.laps))
            said.append(done.context.said)
        await flow.call_tool(note, "after")
        return said


class Talk(BaseModel):
    """A context that is written under other names than its fields have."""

    about: str = Field(alias="subject")
    notes: list[str] = Field(default=[], alias="whatWasSaid")


class Round(StrEnum):
    WORK = auto()
    ASK = auto()
    DONE = auto()


class Rounds(machine.Machine[Talk]):
    """A fan-out and a question, until somebody says no."""

    start = Round.WORK
    ends = (Round.DONE,)

    @machine.step(Round.WORK)
    async def work(self, talk: Talk) -> Literal[Round.ASK]:
        async def part(number: int) -> str:
            return await flow.call_tool(note, f"{talk.about}{len(talk.notes)}{number}")

        talk.notes.append(" ".join((await flow.fan_out(range(2), part)).values))
        return Round.ASK

    @machine.step(Round.ASK)
    async def ask(self, talk: Talk) -> Literal[Round.WORK, Round.DONE]:
        return Round.WORK if (await flow.approval("again")).approved else Round.DONE


@workflow.defn
class Meeting:
    @workflow.run
    async def run(self, about: str) -> list[str]:
        return (await Rounds().run(Talk(subject=about))).context.notes


@workflow.defn
class Beside:
    """A long machine, and something else that must not be done twice."""

    @workflow.run
    async def run(self, what: str) -> list[str]:
        match what:
            case "before":
                return [await flow.call_tool(note, "x"), *await self.laps("a", 10)]
            case "wait":
                await workflow.sleep(0.01)
                return await self.laps("a", 10)
            case "local":
                return [await self.local(), *await self.laps("a", 10)]
            case "step":
                async with flow.step("all"):
                    return await self.laps("a", 10)
            case "call":
                ways = [self.laps("a", 10), self.called()]
            case "child":
                ways = [self.laps("a", 10), self.child()]
            case _:
                ways = [self.one_after_the_other(), self.laps("b", 2)]
        return [text for texts in await asyncio.gather(*ways) for text in texts]

    async def one_after_the_other(self) -> list[str]:
        return [*await self.laps("a", 1), *await self.laps("c", 10)]

    async def laps(self, name: str, laps: int) -> list[str]:
        return (await Laps().run(Job(name=name, laps=laps))).context.said[-1:]

    async def called(self) -> list[str]:
        return [await flow.call_tool(note, "x")]

    async def child(self) -> list[str]:
        return ["x" for _ in await workflow.execute_child_workflow(Shift.run, Plan(names=["d"], laps=1))]

    async def local(self) -> str:
        return await workflow.execute_local_activity(
            "note", {"text": "x"}, result_type=str, start_to_close_timeout=timedelta(seconds=9)
        )


class Leg(StrEnum):
    RUN = auto()
    HAND_OVER = auto()
    DONE = auto()


class Baton(BaseModel):
    laps: int
    carried_by: str


class Relay(machine.Machine[Job]):
    """A value goes from state to state, what is injected is shared by all, and the end acts."""

    start = Leg.RUN
    ends = (Leg.DONE,)

    def __init__(self, runners: list[str]) -> None:
        self.runners = runners

    @machine.step(Leg.RUN)
    async def lap(self, job: Job, baton: Baton | None = None) -> tuple[Literal[Leg.HAND_OVER, Leg.DONE], Baton]:
        laps = baton.laps + 1 if baton else 1
        name = self.runners[laps % len(self.runners)]
        job.said.append(await flow.call_tool(note, f"{name}{laps}"))
        return Leg.DONE if laps == job.laps else Leg.HAND_OVER, Baton(laps=laps, carried_by=name)

    @machine.step(Leg.HAND_OVER)
    async def hand_over(self, job: Job, baton: Baton) -> tuple[Literal[Leg.RUN], Baton]:
        return Leg.RUN, baton

    @machine.step(Leg.DONE)
    async def cheer(self, job: Job, baton: Baton) -> None:
        job.said.append(await flow.call_tool(note, f"{baton.carried_by} wins"))


@workflow.defn
class Race:
    @workflow.run
    async def run(self, runners: list[str]) -> list[str]:
        first = await Relay(runners).run(Job(laps=8))
        second = await Relay(runners).run(Job(laps=8))
        return [*first.context.said, *second.context.said]


app = replace(machinery, workflows=[Race, Beside, Meeting, Shift])
