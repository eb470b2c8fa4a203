"""A workflow that asks what a stranger wrote."""

from temporalio import workflow

from llmflow import flow
from llmflow.app import App


@workflow.defn
class Asks:
    @workflow.run
    async def run(self, text: str) -> bool:
        details, people = f"Send it?\n\n{text}", [f"ana {text}"]
        decision = await flow.approval("send", {"mail": text}, details=details, approvers=people)
        return decision.approved


app = App(name="strangers", workflows=[Asks])
