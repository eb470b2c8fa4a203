"""An App of runs that wait for time to pass."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow

from llmflow import flow
from llmflow.app import App
from llmflow.errors import ErrorDetail, ProviderUnavailable
from llmflow.tools import tool

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@tool
async def closed_today() -> str:
    """Work on the second day."""
    if activity.info().attempt == 1:
        raise ProviderUnavailable("closed today", ErrorDetail(retry_after=DAY.total_seconds()))
    return "open"


@tool
async def dig() -> str:
    """Take a moment."""
    await asyncio.sleep(0.3)
    return "found"


@workflow.defn
class Hours:
    """Counts hours."""

    def __init__(self) -> None:
        self.passed = 0

    @workflow.query
    def count(self) -> int:
        """Return the number of counted items."""
        return self.passed

    @workflow.run
    async def run(self, hours: int) -> timedelta:
        begun = workflow.now()
        while self.passed < hours:
            await workflow.sleep(HOUR)
            self.passed += 1
        return workflow.now() - begun


@workflow.defn
class Days:
    """A run for each day; the hours that they took together."""

    @workflow.run
    async def run(self, left: int, begun: float | None = None) -> float:
        begun = begun or workflow.now().timestamp()
        await workflow.sleep(DAY)
        if left > 1:
            workflow.continue_as_new(args=[left - 1, begun])
        return (workflow.now().timestamp() - begun) / 3600


@workflow.defn
class Calls:
    """Calls a tool for a day at most; what it said, and the hours that it took."""

    @workflow.run
    async def run(self, name: str) -> tuple[str, float]:
        begun = workflow.now()
        call = flow.call_tool(dig) if name == "dig" else flow.call_tool(closed_today)
        try:
            said = await asyncio.wait_for(call, timeout=(DAY + HOUR).total_seconds())
        except TimeoutError:
            said = "too late"
        return said, (workflow.now() - begun) / HOUR


@workflow.defn
class Parent:
    """Waits for a child for a day."""

    @workflow.run
    async def run(self, hours: int) -> str:
        child = await workflow.start_child_workflow(Hours.run, hours, id=f"{workflow.info().workflow_id}-child")
        try:
            await asyncio.wait_for(child, timeout=DAY.total_seconds())
        except TimeoutError:
            return "too late"
        return "in time"


app = App(name="clocks", workflows=[Calls, Days, Hours, Parent], tools=[closed_today, dig])
