"""Small state machines, each for one behaviour, and the workflows that run them."""

import asyncio
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum, auto
from pathlib import Path
from typing import Literal, cast

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RetryPolicy

from llmflow import flow
from llmflow.errors import ProviderUnavailable, StateTimedOut
from llmflow.flow import machine
from llmflow.tools import tool
from tests.integration.hello.app import app as hello

DAY = timedelta(days=1)


class State(StrEnum):
    WORK = auto()
    REST = auto()
    DONE = auto()
    LAPSED = auto()


class Brief(StrEnum):
    WORK = auto()
    DONE = auto()
    LAPSED = auto()


class Job(BaseModel):
    """The context of all of them."""

    name: str = ""
    laps: int = 2
    said: list[str] = []


@tool(retry_policy=RetryPolicy(maximum_attempts=1))
def stumble(folder: str, name: str, times: int) -> int:
    """Fail the first times that it is called by that name; the number of the call."""
    file = Path(folder, name)
    calls = len(file.read_text()) if file.exists() else 0
    file.write_text("x" * (calls + 1))
    if calls < times:
        raise ProviderUnavailable("not now") if name == "ours" else OSError("not now")
    return calls + 1


@tool
async def note(text: str) -> str:
    """Cost some events."""
    return text


class Laps(machine.Machine[Job]):
    """Round and round."""

    start = State.WORK
    ends = (State.DONE, State.LAPSED)

    @machine.step(State.WORK, max_visits=10)
    async def work(self, job: Job) -> Literal[State.REST]:
        job.said.append(f"{job.name}{len(job.said)}")
        if job.name:
            await flow.call_tool(note, job.said[-1])
        return State.REST

    @machine.step(State.REST)
    async def rest(self, job: Job) -> Literal[State.WORK, State.DONE, State.LAPSED]:
        return State.DONE if len(job.said) >= job.laps else State.WORK


class Patience(machine.Machine[Job]):
    """Nobody comes."""

    start = State.WORK
    ends = (State.LAPSED, State.DONE)

    @machine.step(State.WORK, timeout=3 * DAY, on_timeout=State.REST)
    async def work(self, job: Job) -> Literal[State.DONE]:
        job.said.append("lost, because the time is up")
        async with flow.step("wait"):
            try:
                await workflow.sleep(365 * DAY)
            finally:
                await workflow.sleep(DAY)  # what it has to clean up
        return State.DONE

    @machine.step(State.REST)
    async def rest(self, job: Job) -> Literal[State.WORK, State.LAPSED]:
        job.said.append("reminded")
        return State.LAPSED if len(job.said) == job.laps else State.WORK


class Deaf(machine.Machine[Job]):
    """Finishes all the same when its time is up."""

    start = Brief.WORK
    ends = (Brief.DONE, Brief.LAPSED)

    @machine.step(Brief.WORK, timeout=DAY, on_timeout=Brief.LAPSED)
    async def work(self, job: Job) -> Literal[Brief.DONE]:
        try:
            await workflow.sleep(365 * DAY)
        except asyncio.CancelledError:
            job.said.append("done at the last moment")
        return Brief.DONE


class Strict(machine.Machine[Job]):
    """Has no state for a time that is up."""

    start = Brief.WORK
    ends = (Brief.DONE, Brief.LAPSED)

    @machine.step(Brief.WORK, timeout=DAY)
    async def work(self, job: Job) -> Literal[Brief.DONE, Brief.LAPSED]:
        await workflow.sleep(365 * DAY)
        return Brief.DONE


class Outer(machine.Machine[Job]):
    """Machines in a machine: the time that is up inside is not its own."""

    start = State.WORK
    ends = (State.DONE, State.LAPSED)

    @machine.step(State.WORK, timeout=100 * DAY, on_timeout=State.LAPSED)
    async def work(self, job: Job) -> Literal[State.REST]:
        try:
            await Strict().run(job)
        except StateTimedOut as error:
            job.said.append(error.message)
        return State.REST

    @machine.step(State.REST, timeout=100 * DAY, on_timeout=State.LAPSED)
    async def rest(self, job: Job) -> Literal[State.DONE]:
        await Strict().run(job)
        return State.DONE


class Tries(machine.Machine[Job]):
    """Fails twice; `name` is the tool's file, and the first of `said` its folder."""

    start = Brief.WORK
    ends = (Brief.DONE, Brief.LAPSED)

    @machine.step(Brief.WORK, retries=2)
    async def work(self, job: Job) -> Literal[Brief.DONE, Brief.LAPSED]:
        job.said.append("tried")
        group = asyncio.TaskGroup() if job.name == "grouped" else nullcontext()  # noqa: TID251  users have it
        async with group:
            job.said.append(f"call {await flow.call_tool(stumble, job.said[0], job.name, job.laps)}")
        return Brief.DONE


class Stray(machine.Machine[Job]):
    """Returns what its annotation does not list, or a text that only equals it."""

    start = Brief.WORK
    ends = (Brief.DONE, Brief.LAPSED)

    @machine.step(Brief.WORK, timeout=DAY, on_timeout=Brief.LAPSED)
    async def work(self, job: Job) -> Literal[Brief.DONE]:
        return cast(Literal[Brief.DONE], job.name or Brief.LAPSED)


class Tidy(machine.Machine[Job]):
    """Cleans up when its time is over, which takes a while."""

    start = Brief.WORK
    ends = (Brief.DONE, Brief.LAPSED)

    def __init__(self) -> None:
        self.cleans = self.is_clean = False

    @machine.step(Brief.WORK, timeout=DAY, on_timeout=Brief.LAPSED)
    async def work(self, job: Job) -> Literal[Brief.DONE]:
        try:
            await workflow.sleep(365 * DAY)
        finally:
            self.cleans = True
            await workflow.sleep(DAY)
            self.is_clean = True
        return Brief.DONE


class Asks(machine.Machine[Job]):
    """Its timeout passes while a model is asked: not skipped, because a run's clock pauses meanwhile."""

    start = Brief.WORK
    ends = (Brief.DONE, Brief.LAPSED)

    @machine.step(Brief.WORK, timeout=timedelta(seconds=3), on_timeout=Brief.LAPSED)
    async def work(self, job: Job) -> Literal[Brief.DONE]:
        await flow.complete("machinery/greet", {"name": job.name})
        return Brief.DONE


class Order(BaseModel):
    machine: Literal["laps", "patience", "deaf", "strict", "outer", "tries", "stray", "asks"]
    job: Job = Job()


class Outcome(BaseModel):
    state: str
    job: Job


MACHINES: dict[str, type[machine.Machine[Job]]] = {
    "laps": Laps,
    "patience": Patience,
    "deaf": Deaf,
    "strict": Strict,
    "outer": Outer,
    "tries": Tries,
    "stray": Stray,
    "asks": Asks,
}


@workflow.defn
class Works:
    """One machine."""

    @workflow.run
    async def run(self, order: Order) -> Outcome:
        done = await MACHINES[order.machine]().run(order.job)
        return Outcome(state=str(done.state.value), job=done.context)


@workflow.defn
class Impatient:
    """Gives up on a machine that cleans up already; whether it is clean then."""

    @workflow.run
    async def run(self) -> bool:
        tidy = Tidy()
        task = asyncio.create_task(tidy.run(Job()))
        await workflow.wait_condition(lambda: tidy.cleans)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return tidy.is_clean


class Plain:
    """Neither a pydantic model nor a dataclass."""


@workflow.defn
class Untyped:
    """Gives a machine what nobody can write down."""

    @workflow.run
    async def run(self) -> None:
        await Laps().run(Plain())  # type: ignore[arg-type]  that is it


@workflow.defn
class Turn:
    """Begins its machine anew each time that it goes on by itself."""

    @workflow.run
    async def run(self, turns: int) -> list[str]:
        done = await Laps().run(Job(name=f"turn{turns}-", laps=1))
        if turns > 1:
            workflow.continue_as_new(turns - 1)
        return done.context.said


app = replace(hello, name="machinery", workflows=[Impatient, Turn, Untyped, Works], tools=[note, stumble])
