"""The I/O side of the agent by hand."""

import json
from typing import Any

from openai import AsyncOpenAI
from pydantic import BaseModel
from temporalio import activity

from bench.plain.activities import auto_heartbeater
from bench.schemas import found_order

TOOL: dict[str, Any] = {
    "type": "function",
    "name": "look_up",
    "description": "Look up an order by its number.",
    "parameters": {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
}


class TurnCall(BaseModel):
    instructions: str
    items: list[dict[str, Any]]


class Turn(BaseModel):
    items: list[dict[str, Any]]
    text: str
    number: int | None = None
    call_id: str | None = None
    input_tokens: int
    output_tokens: int


class AgentActivities:
    def __init__(self, client: AsyncOpenAI) -> None:
        self.client = client

    @activity.defn
    @auto_heartbeater
    async def take_turn(self, call: TurnCall) -> Turn:
        items: Any = call.items
        tools: Any = [TOOL]
        response = await self.client.responses.create(
            model="gpt-5.4", instructions=call.instructions, input=items, store=False, tools=tools
        )
        asked = next((item for item in response.output if item.type == "function_call"), None)
        usage = response.usage
        return Turn(
            items=[item.model_dump(mode="json", exclude_none=True) for item in response.output],
            text=response.output_text,
            number=json.loads(asked.arguments)["number"] if asked else None,
            call_id=asked.call_id if asked else None,
            input_tokens=usage.input_tokens if usage else 0,
            output_tokens=usage.output_tokens if usage else 0,
        )


@activity.defn
async def look_up(number: int) -> str:
    return found_order(number)
