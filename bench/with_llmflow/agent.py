"""The same agent with llmflow, and one whose tool is local."""

from temporalio import workflow

from bench.with_llmflow.tools import look_up, look_up_here
from llmflow import flow

ORDERS = flow.Prompt(
    "bench/orders",
    system="You look up orders, one after the other, until you have them all.",
    user="Look up {{ turns }} orders.",
    model="smart",
)
regular = flow.Agent("orders", ORDERS, tools=[look_up], max_turns=2_000)
local = flow.Agent("orders", ORDERS, tools=[look_up_here], max_turns=2_000)


@workflow.defn
class Orders:
    @workflow.run
    async def run(self, turns: int) -> str:
        return (await flow.run_agent(regular, variables={"turns": turns})).output


@workflow.defn
class OrdersHere:
    @workflow.run
    async def run(self, turns: int) -> str:
        return (await flow.run_agent(local, variables={"turns": turns})).output
