"""Workflows that do not use llmflow."""

from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from temporalio import activity, workflow


class Order(BaseModel):
    """An input that notes each copy of it, in the workflow's own memory."""

    what: str
    copies: int = 0

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> "Order":  # Any: of whatever is copied
        self.copies += 1
        return self.model_copy()


@activity.defn
async def fetch(what: str) -> str:
    """An activity of the user's own."""
    return f"{what}, fetched"


@workflow.defn
class PlainChild:
    """Does nothing."""

    @workflow.run
    async def run(self, what: str) -> str:
        return what


@workflow.defn
class Middle:
    """Between two of ours, and continues as new before it starts the second one."""

    @workflow.run
    async def run(self, name: str) -> str:
        if name == "ana":
            workflow.continue_as_new("bo")
        child: str = await workflow.execute_child_workflow("Rendered", name, id=f"{workflow.info().workflow_id}-child")
        return child[0]


@workflow.defn
class Plain:
    """Temporal alone: activities of both kinds, a child, and a second run."""

    def __init__(self) -> None:
        self.told = False

    @workflow.signal
    def go_on(self) -> None:
        """Continue."""
        self.told = True

    @workflow.run
    async def run(self, order: Order) -> int:
        await workflow.execute_activity(fetch, order.what, start_to_close_timeout=timedelta(seconds=9))
        await workflow.execute_local_activity(fetch, order.what, start_to_close_timeout=timedelta(seconds=9))
        await workflow.execute_child_workflow(PlainChild.run, order.what)
        await workflow.wait_condition(lambda: self.told)
        if order.what == "first":
            workflow.continue_as_new(Order(what="last"))
        return order.copies
