"""An App whose runs ask people."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, Field, field_validator
from temporalio import workflow

from llmflow import flow
from llmflow.app import App


class Refund(BaseModel):
    usd: Decimal = Field(gt=0, le=500, description="how much to give back")
    reason: Literal["damaged", "late"]
    note: str | None = None

    @field_validator("note")
    @classmethod
    def _says_something(cls, note: str | None) -> str | None:
        if note == "-":
            raise ValueError("say why")
        return note


@workflow.defn
class Publish:
    """Asks again until somebody says yes."""

    @workflow.run
    async def run(self, text: str) -> str:
        while True:
            decision = await flow.approval("publish", {"text": text}, details=f"Publish **{text}**?\n\nIt is *final*.")
            if decision.approved:
                return f"{text}, says {decision.by}"
            text = f"{text}, but {decision.comment}"


@workflow.defn
class TwoOfThree:
    """Asks two of three, with a form."""

    @workflow.run
    async def run(self, days: int = 3) -> str:
        decision = await flow.approval(
            "refund",
            {"order": 4711},
            form=Refund,
            approvers=["ana", "bo", "cy"],
            quorum=2,
            timeout=timedelta(days=days),
            details="Refund order 4711?",
        )
        given = decision.form.usd if decision.form else "nothing"
        return f"{given}: {decision.approved} by {', '.join(vote.by for vote in decision.votes)}"


@workflow.defn
class Both:
    """Asks two things at once, one of them in a child."""

    @workflow.run
    async def run(self, text: str) -> list[str]:
        decision, published = await asyncio.gather(
            flow.approval("spend", timeout=timedelta(days=1), on_timeout="reject"),
            workflow.execute_child_workflow(Publish.run, text, id=f"{workflow.info().workflow_id}-child"),
        )
        return [decision.by, published]


@workflow.defn
class Urgent:
    """Reminds after a second, and asks one more after two."""

    @workflow.run
    async def run(self) -> str:
        decision = await flow.approval(
            "urgent",
            approvers=["ana"],
            timeout=timedelta(seconds=2),
            remind_every=timedelta(seconds=1),
            on_timeout="escalate",
            escalate=["bo"],
        )
        return decision.by


@workflow.defn
class Plain:
    """Knows nothing of llmflow."""

    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(days=1))


app = App(name="desk", workflows=[Both, Publish, TwoOfThree, Urgent])
