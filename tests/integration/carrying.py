"""An App of runs that continue as new, one for each part of what they carry over. Each ends in its second run."""

import asyncio
from dataclasses import replace

from temporalio import workflow
from temporalio.common import RetryPolicy

from llmflow import flow
from llmflow.tools import tool
from tests.integration.asking import Terms, ask
from tests.integration.fanned import Found
from tests.integration.hello.app import app as hello
from tests.integration.hello.workflows import Typed


@tool
async def reserve(what: str) -> str:
    """Reserve something."""
    return f"{what} is reserved"


@tool(retry_policy=RetryPolicy(maximum_attempts=1))
async def release(what: str) -> None:
    """Release it again."""


class Over(Exception):
    """The saga is over."""


@workflow.defn
class Pinned:
    """Versions, models, totals, search attributes and whom the run is for: both runs ask a model, and have a child."""

    @workflow.run
    async def run(self, again: bool) -> str:
        async with flow.step("greet"):
            answer = await flow.complete("hello/greet", {"name": "ana"})
        await workflow.execute_child_workflow(Typed.run, "bo", id=f"{workflow.info().run_id}-child")
        async with flow.step("book"):
            await flow.call_tool(reserve, "a room")
        if again:
            workflow.continue_as_new(False)
        return answer.output


@workflow.defn
class Numbered:
    """Addresses and steps: both runs reserve in the same place."""

    @workflow.run
    async def run(self, again: bool) -> list[str]:
        before = await flow.call_tool(reserve, "a room")
        async with flow.step("table"):
            inside = await flow.call_tool(reserve, "a table")
            if again:
                workflow.continue_as_new(False)
        return [before, inside]


@workflow.defn
class Asked:
    """Questions: one is decided, one is open, and the decision of a third comes before it is asked."""

    @workflow.run
    async def run(self, again: bool) -> list[str]:
        if again:
            await ask(Terms(name="plan"))
            question = asyncio.create_task(ask(Terms(approvers=("ana", "bo"), quorum=2, with_form=True)))
            await ask(Terms(name="early"))
            if not question.done():
                workflow.continue_as_new(False)
        decided = [await ask(Terms(approvers=("ana", "bo"), quorum=2, with_form=True))]
        decided += [await ask(Terms(name=name)) for name in ("plan", "late")]
        return [one.approval for one in decided]


@workflow.defn
class Undone:
    """Sagas: each run undoes one."""

    @workflow.run
    async def run(self, again: bool) -> str:
        try:
            async with flow.Saga() as saga:
                await saga.do(reserve, "a room", undo=release)
                raise Over
        except Over:
            if again:
                workflow.continue_as_new(False)
        return "undone"


@workflow.defn
class Spread:
    """Batches: both runs fan out to children. The second one pins nothing."""

    @workflow.run
    async def run(self, again: bool) -> int:
        found = await flow.fan_out(range(501), self.ask, limit=250)
        if again:
            workflow.continue_as_new(False)
        return sum(one.number for one in found.values)

    async def ask(self, number: int) -> Found:
        if number != 500:  # one call is enough
            return Found(number=number)
        await flow.complete("hello/greet", {"name": str(number)})
        return Found(number=number)


@workflow.defn
class Awaited:
    """Its handlers call a tool: with a run that is named, they may come before the first line of the next one."""

    def __init__(self) -> None:
        self.more: list[str] = []

    @workflow.run
    async def run(self, next_queue: str) -> list[str]:
        mine = await flow.call_tool(reserve, "a room")
        if next_queue:
            workflow.continue_as_new("", task_queue=next_queue)
        await workflow.wait_condition(lambda: bool(self.more))
        return [mine, *self.more]

    @workflow.signal
    async def signalled(self, what: str) -> None:
        """Reserve something else."""
        self.more.append(await flow.call_tool(reserve, what))

    @workflow.update
    async def updated(self, what: str) -> str:
        """Reserve something else, and say so."""
        async with flow.step("update"):
            self.more.append(await flow.call_tool(reserve, what))
        return self.more[-1]


app = replace(
    hello,
    workflows=[Asked, Awaited, Numbered, Pinned, Spread, Typed, Undone],
    tools=[reserve, release],
)
