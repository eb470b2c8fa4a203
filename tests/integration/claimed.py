"""Workflows over claims: each item has a label, and some items fail."""

from collections.abc import Sequence

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RetryPolicy

from llmflow import flow
from llmflow.app import App
from llmflow.errors import InputInvalid, ToolRefused
from llmflow.tools import tool


class Claim(BaseModel):
    number: str
    amount: int


@tool(retry_policy=RetryPolicy(maximum_attempts=1))
def pay(number: str, amount: int) -> int:
    """Pay a claim, but none over 1,000."""
    if amount > 1000:
        raise ToolRefused(f"{amount} is too much")
    return amount


@workflow.defn
class Note:
    """Writes a note about a claim."""

    @workflow.run
    async def run(self, number: str) -> str:
        return (
            await flow.complete(flow.Prompt("claims/note", user="Note {{ number }}", model="fast"), {"number": number})
        ).text


def number_of(claim: Claim) -> str:
    """Return its label."""
    return f"C-{claim.number}"


@workflow.defn
class Claims:
    """Pays claims; those above the limit fail."""

    @workflow.run
    async def run(self, claims: list[Claim], needed: int = 0) -> int:
        found = await flow.fan_out(claims, settle, label=number_of, limit=100, on_error="collect", min_success=needed)
        return sum(found.values)


async def settle(claim: Claim) -> int:
    """Pay, and note it if the amount is odd."""
    if claim.amount < 0:
        raise InputInvalid("a claim has an amount")
    if claim.amount == 0:
        return 0
    async with flow.step("settle"):
        paid = await flow.call_tool(pay, number=claim.number, amount=claim.amount)
        if claim.amount % 2:
            await flow.complete(
                flow.Prompt("claims/word", user="A word on {{ number }}", model="fast"), {"number": claim.number}
            )
            await workflow.execute_child_workflow(Note.run, claim.number)
    return paid


@workflow.defn
class Sums:
    """Sums up claims, and says which are missing."""

    @workflow.run
    async def run(self, claims: list[Claim]) -> str:
        return await flow.map_reduce(
            claims, self.amount, self.join, label=number_of, on_error="collect", fan_in=2, limit=10
        )

    async def amount(self, claim: Claim) -> str:
        if claim.amount < 0:
            raise InputInvalid("a claim has an amount")
        return str(claim.amount)

    async def join(self, amounts: list[str], failed: Sequence[flow.Outcome[str]]) -> str:
        return "+".join([*amounts, *(f"{one.label}?" for one in failed)])


app = App(name="claims", workflows=[Claims, Note, Sums], tools=[pay])
