"""Workflows that have no plain counterpart.

In a module of their own: the sandbox runs the module of a workflow again for every run, with all classes in it.
"""

from temporalio import workflow

from bench.schemas import Mail, Outline
from llmflow import flow
from llmflow.types.models import ModelOptions


@workflow.defn
class Many:
    @workflow.run
    async def run(self, count: int) -> int:
        found = await flow.fan_out([f"mail {number}" for number in range(count)], self.plan, limit=100)
        return len(found.values)

    async def plan(self, subject: str) -> Outline:
        mail = Mail(product="kettle", subject=subject, text="It does not boil any more.")
        return (await flow.complete("bench/plan", mail, output=Outline)).output


@workflow.defn
class Ask:
    @workflow.run
    async def run(self, mail: Mail) -> str:
        decision = await flow.approval("send", mail, approvers=["ana", "bo"], details="Send this reply?")
        return decision.by


@workflow.defn
class Told:
    @workflow.run
    async def run(self) -> str:
        draft = {"text": "It does not boil any more.", "points": ["sorry"]}
        return (await flow.complete("bench/draft", draft, options=ModelOptions(stream=True))).output
