"""An App whose workflow decides by what no history knows, if it is told to."""

from temporalio import workflow

from llmflow import flow
from llmflow.app import App
from tests.integration.fickle_tools import TURNS, look


@workflow.defn
class Look:
    """Calls a tool, in a step of some name."""

    @workflow.run
    async def run(self, how: str) -> str:
        if how == "child":
            return await workflow.execute_child_workflow(Look.run, "fickle", id=f"{workflow.info().workflow_id}-child")
        if how == "continued":
            workflow.continue_as_new("fickle")
        async with flow.step(f"turn {next(TURNS)}" if "fickle" in how else "turn"):
            said = await flow.call_tool(look)
        if "bug" in how:
            raise KeyError(said)
        await workflow.wait_condition(lambda: "open" not in how)
        return said

    @workflow.update
    async def stumble(self) -> None:
        """Have a bug in a handler."""
        raise KeyError("stumbled")


app = App(name="fickle", workflows=[Look], tools=[look])
