"""The activity of each tool."""

from collections.abc import Awaitable, Callable

from pydantic import JsonValue
from temporalio import activity

from llmflow.activities._heartbeat import heartbeats
from llmflow.tools.running import run_tool
from llmflow.types.tools import AnyTool


def tool_activity(tool: AnyTool) -> Callable[[dict[str, JsonValue]], Awaitable[JsonValue]]:
    """An activity of the tool's own name: a JSON object of arguments in, the tool's result as JSON out."""

    @activity.defn(name=tool.name)
    async def call(arguments: dict[str, JsonValue]) -> JsonValue:
        with heartbeats():
            result = await run_tool(tool, arguments)
        value: JsonValue = tool.output.dump_python(result, mode="json")
        return value

    return call
