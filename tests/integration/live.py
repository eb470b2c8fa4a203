"""Workflows that are watched: a step with a streamed call and a tool, a question, and a child."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from llmflow import flow
from llmflow.app import App
from llmflow.tools import tool
from llmflow.types.models import ModelOptions

WRITE = flow.Prompt("live/write", user="Write about {{ about }}.", model="fast")
STREAMED = ModelOptions(stream=True)


@tool
async def count(text: str) -> int:
    """Count the words of a text."""
    return len(text.split())


async def write(about: str) -> str:
    again = flow.CallOptions(retry_policy=RetryPolicy(maximum_attempts=3))
    return (await flow.complete(WRITE, {"about": about}, options=STREAMED, call=again)).output


@workflow.defn
class Chapter:
    @workflow.run
    async def run(self, about: str) -> int:
        async with flow.step("chapter"):
            return await flow.call_tool(count, text=await write(about))


@workflow.defn
class Book:
    @workflow.run
    async def run(self, about: str) -> int:
        async with flow.step("write"):
            draft = await write(about)
            words = await flow.call_tool(count, text=draft)
        await flow.approval("publish", draft)
        id = f"{workflow.info().workflow_id}-chapter"
        return words + await workflow.execute_child_workflow(Chapter.run, f"more {about}", id=id)


@workflow.defn
class Note:
    @workflow.run
    async def run(self, about: str) -> str:
        return await write(about)


@workflow.defn
class Frail:
    """Notices after some seconds that the worker of its call is dead."""

    @workflow.run
    async def run(self, about: str) -> str:
        frail = flow.CallOptions(heartbeat_timeout=timedelta(seconds=4))
        return (await flow.complete(WRITE, {"about": about}, options=STREAMED, call=frail)).output


@workflow.defn
class Notes:
    """Two batches, as items come to more than one, each with a call."""

    @workflow.run
    async def run(self, count: int) -> int:
        return len((await flow.fan_out([str(at) for at in range(count)], write, limit=4)).values)


app = App(name="live", workflows=[Book, Chapter, Frail, Note, Notes], tools=[count])
