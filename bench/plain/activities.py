"""The I/O side by hand, as in Temporal's samples and its AI cookbook: one client, no retries of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar, cast

from openai import AsyncOpenAI
from pydantic import BaseModel
from temporalio import activity

from bench.schemas import Outline, Reply

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


def text_format(output: type[BaseModel]) -> dict[str, Any]:
    return {"type": "json_schema", "name": output.__name__, "schema": output.model_json_schema(), "strict": True}


# Built once: this module is passed through the sandbox, which runs the workflow's own module again for every run.
OUTLINE_FORMAT = text_format(Outline)
REPLY_FORMAT = text_format(Reply)


class ModelCall(BaseModel):
    model: str
    instructions: str
    input: str
    text_format: dict[str, Any] | None = None


class ModelAnswer(BaseModel):
    text: str
    model: str
    input_tokens: int
    output_tokens: int


def auto_heartbeater(fn: F) -> F:
    """Heartbeat, from samples-python, custom_decorator/activity_utils.py."""

    @wraps(fn)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        heartbeat_timeout = activity.info().heartbeat_timeout
        heartbeat_task = None
        if heartbeat_timeout:
            heartbeat_task = asyncio.create_task(heartbeat_every(heartbeat_timeout.total_seconds() / 2))
        try:
            return await fn(*args, **kwargs)
        finally:
            if heartbeat_task:
                heartbeat_task.cancel()
                await asyncio.wait([heartbeat_task])

    return cast(F, wrapper)


async def heartbeat_every(delay: float) -> None:
    while True:
        await asyncio.sleep(delay)
        activity.heartbeat()


class ModelActivities:
    def __init__(self, client: AsyncOpenAI) -> None:
        self.client = client

    @activity.defn
    @auto_heartbeater
    async def call_model(self, call: ModelCall) -> ModelAnswer:
        output: Any = {"text": {"format": call.text_format}} if call.text_format else {}
        response = await self.client.responses.create(
            model=call.model, instructions=call.instructions, input=call.input, store=False, **output
        )
        usage = response.usage
        return ModelAnswer(
            text=response.output_text,
            model=response.model,
            input_tokens=usage.input_tokens if usage else 0,
            output_tokens=usage.output_tokens if usage else 0,
        )
