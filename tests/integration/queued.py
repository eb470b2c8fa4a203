"""Tools with options of their own, one of them on a task queue of its own; and a source of several tools."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from pydantic import JsonValue
from pydantic_core import from_json
from temporalio import activity, workflow
from temporalio.common import Priority, RetryPolicy

from llmflow import flow
from llmflow.app import App
from llmflow.errors import ToolRefused
from llmflow.tools import tool
from llmflow.types.tools import ToolSpec

GPU = "queued-gpu"
MINUTE = timedelta(minutes=1)
OBJECT: dict[str, JsonValue] = {"type": "object", "properties": {"item": {"type": "string"}}}


@tool(
    task_queue=GPU,
    start_to_close_timeout=timedelta(minutes=3),
    schedule_to_close_timeout=timedelta(minutes=7),
    heartbeat_timeout=timedelta(seconds=5),
    retry_policy=RetryPolicy(maximum_attempts=2, maximum_interval=timedelta(seconds=3)),
    priority=Priority(priority_key=2),
)
async def embed(text: str) -> str:
    """Tell which task queue embeds."""
    return activity.info().task_queue


class Warehouse:
    """As another service might offer its functions."""

    def specs(self) -> Sequence[ToolSpec]:
        return [
            ToolSpec(name=name, description=f"Tells the {name} of an item.", json_schema=OBJECT)
            for name in ("stock", "shelf")
        ]

    async def call(self, name: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        if "item" not in arguments:
            raise ToolRefused(f"{name} of what?")
        return {"item": arguments["item"], name: 3}


@workflow.defn
class Queued:
    @workflow.run
    async def run(self, text: str) -> list[str]:
        once = embed.with_options(task_queue=workflow.info().task_queue)
        return [await flow.call_tool(embed, text), await flow.call_tool(once, text=text)]


@workflow.defn
class Stocked:
    @workflow.run
    async def run(self, item: str) -> dict[str, JsonValue]:
        answer = await flow.complete("queued/ask", {"item": item})
        wanted = answer.tool_calls[0]
        found: dict[str, JsonValue] = await workflow.execute_activity(
            wanted.name, from_json(wanted.arguments), result_type=dict[str, JsonValue], start_to_close_timeout=MINUTE
        )
        return found


app = App(
    name="queued",
    workflows=[Queued, Stocked],
    tools=[embed, Warehouse()],
    prompts=Path(__file__).parent / "queued_prompts",
)
