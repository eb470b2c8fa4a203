"""Agents for the tests: a support desk with tools, an approval and a handoff."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RetryPolicy

from llmflow import flow
from llmflow.app import App
from llmflow.errors import AgentError, ToolRefused
from llmflow.flow.agents import Handoff, agent_tool, approved, limited, renamed, workflow_tool
from llmflow.tools import tool

TRIAGE = flow.Prompt("agent_desk/triage", user="The shop is {{ shop }}.", system="Help.", model="fast")
BILLING = flow.Prompt("agent_desk/billing", user="You are billing.", model="fast")


class Reply(BaseModel):
    """Answer to a customer."""

    text: str
    solved: bool


@tool
async def find_order(number: int) -> str:
    """Find an order by its number."""
    if number == 0:
        raise ToolRefused("there is no order 0")
    return f"order {number}: " + "shipped. " * 500


@tool(local=True)
async def opening_hours(day: str) -> str:
    """Say when the shop is open."""
    return f"on {day} from 9 to 5. " + "Come in. " * 100


@tool(effect=True, retry_policy=RetryPolicy(maximum_attempts=1))
async def refund(number: int, usd: float) -> str:
    """Refund an order."""
    if usd > 1000:
        raise RuntimeError("the bank is closed")
    return f"refunded {usd} for {number}"


class Parcel(BaseModel):
    """A parcel to look for."""

    number: int


@workflow.defn
class Search:
    """Looks for a parcel."""

    @workflow.run
    async def run(self, parcel: Parcel) -> str:
        return f"parcel {parcel.number} is in Rome"


CLERK = flow.Prompt("agent_desk/clerk", user="You are a clerk.", model="fast")
clerk = flow.Agent("clerk", CLERK, tools=[workflow_tool(Search, name="search", description="Look for a parcel.")])
chief = flow.Agent(
    "chief",
    flow.Prompt("agent_desk/chief", user="Ask the clerk.", model="fast"),
    tools=[agent_tool(clerk, description="Knows parcels.")],
)


@workflow.defn
class Office:
    """An agent that asks another one, which asks a workflow."""

    @workflow.run
    async def run(self) -> str:
        result = await flow.run_agent(chief)
        return f"{result.output} {result.turns}"


billing = flow.Agent("billing", BILLING, output=Reply, tools=[refund], description="money")
support = flow.Agent(
    "support",
    TRIAGE,
    output=Reply,
    tools=[
        find_order,
        opening_hours,
        limited(renamed(find_order, "find_again"), 1),
        approved(refund, lambda given: float(str(given["usd"])) > 10 and "more than 10 dollars"),
    ],
    handoffs=[Handoff(billing, keeps="none")],
    max_turns=6,
)


@workflow.defn
class Desk:
    """Answers questions one after the other in one conversation."""

    @workflow.run
    async def run(self, questions: Sequence[str]) -> list[str]:
        said: list[str] = []
        talk = flow.conversation()
        for question in questions:
            result = await flow.run_agent(support, question, variables={"shop": "ACME"}, conversation=talk)
            said.append(f"{result.agent}: {result.output.text} ({result.turns})")
        return said


@workflow.defn
class Ends:
    """Returns how an agent ends that does not answer."""

    @workflow.run
    async def run(self, question: str) -> str:
        try:
            await flow.run_agent(support, question, variables={"shop": "ACME"})
        except AgentError as error:
            assert error.detail.conversation
            return f"{type(error).__name__}: {error.message}"
        return "answered"


@workflow.defn
class Chat:
    """Talks without an agent, forks the talk, and continues as new."""

    @workflow.run
    async def run(self, left: int) -> list[str]:
        talk = flow.conversation("chat", turns=3)
        talk.add(flow.Message.user(f"{left} left"))
        first = await flow.complete(TRIAGE, {"shop": "ACME"} if talk.head is None else None, conversation=talk)
        if left:
            workflow.continue_as_new(left - 1)
        other = talk.fork()
        other.add(flow.Message.user("in the fork"))
        aside = await flow.complete(TRIAGE, conversation=other)
        talk.add(flow.Message.user("on the way"))
        last = await flow.complete(TRIAGE, conversation=talk)
        await workflow.sleep(timedelta(0))
        return [first.output, aside.output, last.output]


front: flow.Agent[str] = flow.Agent("front", TRIAGE, handoffs=lambda: [back])
back = flow.Agent("back", BILLING, handoffs=[front])


@workflow.defn
class Circle:
    """Two agents that hand over to each other."""

    @workflow.run
    async def run(self) -> str:
        try:
            return (await flow.run_agent(front, "Hello", variables={"shop": "ACME"})).output
        except AgentError as error:
            return error.message


@workflow.defn
class Interrupted:
    """Says something while the model answers."""

    @workflow.run
    async def run(self) -> str:
        talk = flow.conversation()
        first = asyncio.create_task(flow.complete(TRIAGE, {"shop": "ACME"}, conversation=talk))
        await workflow.wait_condition(lambda: bool(talk.is_busy))
        talk.add(flow.Message.user("meanwhile"))
        await first
        return (await flow.complete(TRIAGE, conversation=talk)).output


app = App(
    name="agent_desk",
    workflows=[Desk, Ends, Chat, Search, Office, Interrupted, Circle],
    tools=[find_order, opening_hours, refund],
)
