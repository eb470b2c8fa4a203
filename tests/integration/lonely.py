"""An App that no worker ever serves."""

from temporalio import workflow

from llmflow.app import App


@workflow.defn
class Wait:
    """Never begins."""

    @workflow.run
    async def run(self) -> str:
        return "begun"


app = App(name="lonely", workflows=[Wait])
