"""An App with one workflow of five calls, one after the other."""

from dataclasses import replace

from temporalio import workflow

from llmflow import flow
from tests.integration.hello.app import app as hello


@workflow.defn
class Five:
    """Greets `call 1` to `call 5`."""

    @workflow.run
    async def run(self) -> list[str]:
        return [(await flow.complete("hello/greet", {"name": f"call {number}"})).output for number in range(1, 6)]


app = replace(hello, workflows=[Five])
