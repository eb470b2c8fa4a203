"""Two Apps on one worker: each has its own models under the same names."""

from temporalio import workflow

from llmflow import flow
from llmflow.app import App
from llmflow.tools import tool


@tool
async def shout(text: str) -> str:
    """Say it louder."""
    return text.upper()


@tool
async def whisper(text: str) -> str:
    """Say it lower."""
    return text.lower()


@workflow.defn
class North:
    """Asks a prompt of its App, and a tool."""

    @workflow.run
    async def run(self, name: str) -> str:
        answer = await flow.complete(flow.Prompt("north/greet", user="{{ name }}", model="fast"), {"name": name})
        return await flow.call_tool(shout, text=answer.output)


@workflow.defn
class South:
    """Does the same with its own."""

    @workflow.run
    async def run(self, prompt: str) -> str:
        answer = await flow.complete(flow.Prompt(prompt, user="hi", model="fast"), {})
        return await flow.call_tool(whisper, text=answer.output)


north = App(name="north", workflows=[North], tools=[shout])
south = App(name="south", workflows=[South], tools=[whisper])
