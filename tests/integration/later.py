"""A workflow in no App, which uses llmflow after a while."""

from temporalio import workflow

from llmflow import flow
from llmflow.tools import tool


@tool
async def look(what: str) -> str:
    """See something."""
    return f"{what}, seen"


@workflow.defn
class Outer:
    """Starts a workflow in no App."""

    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_child_workflow("Middle", name, id=f"{workflow.info().workflow_id}-child")


@workflow.defn
class Later:
    """Uses llmflow when it is told to."""

    def __init__(self) -> None:
        self.told = False

    @workflow.signal
    def go_on(self) -> None:
        """Continue."""
        self.told = True

    @workflow.run
    async def run(self, what: str) -> list[str]:
        await workflow.wait_condition(lambda: self.told)
        async with flow.step("look"):
            seen = await flow.call_tool(look, what)
        decision = await flow.approval("publish", seen)
        return [seen, decision.by]
