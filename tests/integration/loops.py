"""An App of runs that continue as new."""

from dataclasses import replace

from pydantic import BaseModel
from temporalio import workflow

from llmflow import flow
from tests.integration.hello.app import app as hello


class Count(BaseModel):
    """Rounds to go, and those that are done."""

    left: int
    done: int = 0


@workflow.defn
class Loop:
    """Asks a model in each round, and people in the end."""

    @workflow.run
    async def run(self, count: Count) -> Count:
        async with flow.step("loop"):
            while count.left:
                async with flow.step("round"):
                    await flow.complete("hello/greet", {"name": str(count.done)})
                count = Count(left=count.left - 1, done=count.done + 1)
                await flow.checkpoint(count)
        (await flow.approval("end")).require()
        return count


@workflow.defn
class Handed:
    """Has an update handler that may still run when the run goes on."""

    def __init__(self) -> None:
        self.told = False
        self.over = False

    @workflow.signal
    def end(self) -> None:
        """Let `slow` end."""
        self.over = True

    @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)  # else it is a warning, and right so
    async def slow(self) -> str:
        """Last until it is told to end, and let the run go on meanwhile."""
        self.told = True
        await workflow.wait_condition(lambda: self.over)
        return "heard"

    @workflow.update
    async def misplaced(self) -> None:
        """Continue as new here."""
        await flow.checkpoint("end")

    @workflow.run
    async def run(self, what: str) -> str:
        if what == "wait":
            await workflow.wait_condition(lambda: self.told)
        if what != "end":
            for _ in range(3):
                await flow.checkpoint("end")
        return what


@workflow.defn
class Pair:
    """Begins with two inputs, and would go on with one."""

    @workflow.run
    async def run(self, left: str, right: str) -> None:
        await flow.checkpoint(left)


@workflow.defn
class Hopeless:
    """Wants to go on with what cannot be sent."""

    @workflow.run
    async def run(self, size: int) -> str:
        workflow.continue_as_new("x" * size if size else object())


app = replace(hello, workflows=[Loop, Handed, Hopeless, Pair])
