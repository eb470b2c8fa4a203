"""An App for the tests of approvals: short workflows that ask people."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, Field, JsonValue
from temporalio import workflow

from llmflow import flow
from llmflow.app import App
from llmflow.errors import ToolRefused
from llmflow.tools import tool


class Refund(BaseModel):
    amount: int
    note: str = Field("", alias="remark")


class Terms(BaseModel):
    """Arguments of a question."""

    name: str = "publish"
    payload: JsonValue = None
    with_form: bool = False
    days: float | None = None
    on_timeout: Literal["raise", "reject", "escalate"] = "raise"
    approvers: tuple[str, ...] | None = None
    quorum: int = 1
    remind_days: float | None = None
    escalate: tuple[str | tuple[str, ...], ...] | str = ()
    details: str = ""


class Said(BaseModel):
    """Outcome of a question."""

    approval: str
    approved: bool
    by: str
    comment: str
    form: Refund | None
    votes: list[str]


async def ask(terms: Terms) -> Said:
    decision = await flow.approval(
        terms.name,
        terms.payload,
        form=Refund if terms.with_form else None,
        timeout=None if terms.days is None else timedelta(days=terms.days),
        on_timeout=terms.on_timeout,
        approvers=terms.approvers,
        quorum=terms.quorum,
        remind_every=None if terms.remind_days is None else timedelta(days=terms.remind_days),
        escalate=terms.escalate,
        details=terms.details,
    )
    return Said(
        approval=decision.approval,
        approved=decision.approved,
        by=decision.by,
        comment=decision.comment,
        form=decision.form,
        votes=[vote.by for vote in decision.votes],
    )


@workflow.defn
class Ask:
    """One question."""

    @workflow.run
    async def run(self, terms: Terms) -> Said:
        return await ask(terms)


@workflow.defn
class AskAll:
    """Several at once."""

    @workflow.run
    async def run(self, all_terms: list[Terms]) -> list[Said]:
        return list(await asyncio.gather(*(ask(terms) for terms in all_terms)))


@workflow.defn
class Revise:
    """A loop that ends when somebody says yes."""

    @workflow.run
    async def run(self) -> list[str]:
        comments: list[str] = []
        while True:
            async with flow.step("revise"):
                decision = await flow.approval("publish", {"drafts": len(comments) + 1})
            comments.append(f"{decision.approval}: {decision.comment}")
            if decision.approved:
                return comments


@workflow.defn
class Delegate:
    """A child asks."""

    @workflow.run
    async def run(self, terms: Terms) -> Said:
        return await workflow.execute_child_workflow(Ask.run, terms, id=f"{workflow.info().workflow_id}-child")


@workflow.defn
class Insist:
    """Cannot go on without a yes."""

    @workflow.run
    async def run(self) -> str:
        return (await flow.approval("publish")).require().by


@workflow.defn
class GiveUp:
    """Stops asking when it is told to, and asks something else."""

    def __init__(self) -> None:
        self.tired = False

    @workflow.run
    async def run(self) -> str:
        question = asyncio.create_task(flow.approval("first", timeout=timedelta(days=3)))
        await workflow.wait_condition(lambda: self.tired)
        question.cancel()
        await asyncio.gather(question, return_exceptions=True)
        return (await flow.approval("second")).by

    @workflow.signal
    def tire(self) -> None:
        self.tired = True


@workflow.defn
class Leave:
    """Ends while a branch still asks."""

    def __init__(self) -> None:
        self.over = False

    @workflow.run
    async def run(self) -> str:
        question = asyncio.create_task(flow.approval("publish"))
        await workflow.wait_condition(lambda: self.over)
        return "decided" if question.done() else "left"

    @workflow.signal
    def leave(self) -> None:
        self.over = True


@workflow.defn
class GoOn:
    """Continues as new as often as it is told to, while it asks."""

    def __init__(self) -> None:
        self.told = False

    @workflow.run
    async def run(self, terms: Terms) -> list[Said]:
        question = asyncio.create_task(ask(terms))
        await workflow.wait_condition(lambda: question.done() or self.told)
        if not question.done():
            workflow.continue_as_new(terms)
        return [question.result(), await ask(terms)]

    @workflow.signal
    def go_on(self) -> None:
        self.told = True


@tool(approval=True)
async def wipe(folder: str) -> str:
    """Delete a folder.

    It does not come back.
    """
    return f"{folder} is gone"


@workflow.defn
class Wipe:
    """A tool that people have to approve."""

    @workflow.run
    async def run(self, folders: Sequence[str]) -> list[str]:
        return list(await asyncio.gather(*(self.wipe(folder) for folder in folders)))

    async def wipe(self, folder: str) -> str:
        try:
            return await flow.call_tool(wipe, folder=folder)
        except ToolRefused as refused:
            return refused.message


app = App(
    name="asking",
    workflows=[Ask, AskAll, Delegate, GiveUp, GoOn, Insist, Leave, Revise, Wipe],
    tools=[wipe],
)
