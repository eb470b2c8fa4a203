"""An App whose runs carry a secret through everything that Temporal keeps of them."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from llmflow import flow
from llmflow.app import App
from llmflow.tools import tool

WRITE = flow.Prompt("secretive/write", user="Write about {{ words }}.", model="fast")


@tool
async def look_up(words: str) -> str:
    """Look something up.

    Args:
        words: Words to look up.
    """
    return f"{words} is a fish"


@workflow.defn
class Whisper:
    """Passes its words on to a model, a tool, a child and a person, and fails with them if the person says no."""

    @workflow.run
    async def run(self, words: str) -> str:
        async with flow.step("write"):
            written = await flow.complete(WRITE, {"words": words})
        found = await flow.call_tool(look_up, words=words)
        workflow.set_current_details(words)
        heard = await workflow.execute_child_workflow(
            Hear.run, written.output, id=f"{workflow.info().workflow_id}-heard"
        )
        decision = await flow.approval("publish", {"words": words}, approvers=["ana"], timeout=timedelta(days=1))
        if not decision.approved:
            raise ApplicationError(f"no {words}: {decision.comment}", type="Refused", non_retryable=True)
        return f"{heard}, {found}"


@workflow.defn
class Hear:
    """Returns what it hears."""

    @workflow.run
    async def run(self, words: str) -> str:
        return words


app = App(name="secretive", workflows=[Hear, Whisper], tools=[look_up])
