"""An App for the tests of resets: its tools tell their keys."""

import asyncio
from collections import defaultdict
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from llmflow import flow
from llmflow.app import App
from llmflow.tools import idempotency_key, tool

KEYS: dict[str, list[str]] = defaultdict(list)
"""Workflow id -> keys of its calls of `slow` and `noted`."""


@tool
async def pay(claim: str) -> str:
    """Pay a claim."""
    return f"{claim} {idempotency_key()}"


@tool
async def slow() -> str:
    """Answer when it is called again."""
    keys = KEYS[activity.info().workflow_id or ""]
    keys.append(idempotency_key())
    if len(keys) == 1:
        await asyncio.sleep(60)
    return keys[-1]


@tool
async def noted() -> str:
    """Note the key."""
    KEYS[activity.info().workflow_id or ""].append(idempotency_key())
    return idempotency_key()


@activity.defn
async def letter() -> str:
    return idempotency_key()


async def settle(claim: str) -> list[str]:
    """Pay, and write a letter, where there is a claim: `C0 at queue`."""
    if not claim:
        return []
    number, queue = claim.split(" at ")
    return [await flow.call_tool(pay, number), await write(queue)]


async def write(queue: str) -> str:
    return await workflow.execute_activity(letter, task_queue=queue, start_to_close_timeout=timedelta(minutes=1))


@workflow.defn
class Settle:
    """Settles a claim."""

    @workflow.run
    async def run(self, queue: str) -> list[str]:
        return await settle(f"C7 at {queue}")


@workflow.defn
class Claims:
    """Everything after a question."""

    @workflow.run
    async def run(self, queue: str) -> list[list[str]]:
        (await flow.approval("pay", quorum=2)).require()
        claims = [f"C0 at {queue}", *[""] * 499, f"C500 at {queue}"]  # in two batches
        settled = await flow.fan_out(claims, settle, limit=1)
        child = await workflow.execute_child_workflow(Settle.run, queue)
        async with flow.Saga() as saga:
            booked = await saga.do(pay, "saga", undo=pay)
        return [settled.values[0], settled.values[500], child, [booked, await write(queue)]]


@workflow.defn
class InFlight:
    """A slow call, and one beside it."""

    @workflow.run
    async def run(self) -> str:
        waits = asyncio.create_task(flow.call_tool(slow))
        await flow.call_tool(pay, "first")
        await flow.call_tool(pay, "second")
        return await waits


@workflow.defn
class Again:
    """A child that is retried, and continues as new; a call in each run."""

    @workflow.run
    async def run(self, last: bool) -> str:
        key = await flow.call_tool(noted)
        if workflow.info().attempt == 1 and not last:
            raise ApplicationError("again")
        if not last:
            workflow.continue_as_new(True)
        return key


@workflow.defn
class Parent:
    """Has a child."""

    @workflow.run
    async def run(self) -> str:
        retries = RetryPolicy(initial_interval=timedelta(milliseconds=10))
        id = f"{workflow.info().workflow_id}-child"
        return await workflow.execute_child_workflow(Again.run, False, id=id, retry_policy=retries)


app = App(name="resets", workflows=[Again, Claims, InFlight, Parent, Settle], tools=[noted, pay, slow])
