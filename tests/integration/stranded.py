"""Runs that wait for workers that are not there, and for children that do."""

from temporalio import workflow

from llmflow import flow
from llmflow.app import App
from llmflow.tools import tool

GPU, NOBODY = "stranded-gpu", "stranded-nobody"


@tool(task_queue=GPU)
async def embed(text: str) -> str:
    """Embed a text."""
    return text


@workflow.defn
class Waits:
    @workflow.run
    async def run(self, text: str) -> str:
        return await flow.call_tool(embed, text)


@workflow.defn
class Buggy:
    @workflow.run
    async def run(self, text: str) -> str:
        return {"a": "b"}[text]


@workflow.defn
class Parent:
    @workflow.run
    async def run(self, text: str) -> list[str]:
        of = workflow.info().workflow_id
        waits = await workflow.start_child_workflow(Waits.run, text, id=f"{of}-waits")
        buggy = await workflow.start_child_workflow(Buggy.run, text, id=f"{of}-buggy")
        lost = await workflow.start_child_workflow(Buggy.run, text, id=f"{of}-lost", task_queue=NOBODY)
        return [await child for child in (waits, buggy, lost)]


app = App(name="stranded", workflows=[Parent, Waits, Buggy], tools=[embed])
