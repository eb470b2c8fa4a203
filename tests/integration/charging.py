"""An App whose tools cost money."""

from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from llmflow import flow
from llmflow.app import App
from llmflow.tools import charge, tool


@tool
def search(query: str) -> str:
    """Search, in a thread of its own."""
    charge("0.001", "serp")
    charge(0.002, "serp")
    charge("0.0000000001", "proxy")
    return query.upper()


@tool(retry_policy=RetryPolicy(maximum_attempts=3, initial_interval=timedelta(milliseconds=10)))
async def stumble() -> str:
    """Fail twice, and pay each time."""
    charge("0.01", "lookup")
    if activity.info().attempt < 3:
        raise LookupError("again")
    return "found"


@tool(retry_policy=RetryPolicy(maximum_attempts=1))
async def fail() -> str:
    """Pay, and fail."""
    charge("0.1", "lookup")
    raise LookupError("never")


@workflow.defn
class Child:
    """Searches."""

    @workflow.run
    async def run(self, query: str) -> str:
        return await flow.call_tool(search, query)


@workflow.defn
class Spender:
    """Calls tools in every way."""

    @workflow.run
    async def run(self) -> list[str]:
        first = await flow.call_tool(search, "saga")
        second = await flow.call_tool(stumble)
        try:
            await flow.call_tool(fail)
        except ActivityError:
            second += ", and not"
        plain = await workflow.execute_activity(
            "search", {"query": "plain"}, result_type=str, start_to_close_timeout=timedelta(seconds=10)
        )
        child = await workflow.execute_child_workflow(Child.run, "child")
        async with flow.step("last"):
            last = await flow.call_tool(search, "last")
        return [first, second, plain, child, last]


MODELS = Path(__file__).parent / "hello/models.yaml"

app = App(
    name="charging",
    workflows=[Child, Spender],
    tools=[search, stumble, fail],
    models=Path(__file__).parent / "hello/models.yaml",
)
