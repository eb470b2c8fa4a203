"""`config` of an App: its constants, which a run pins at their first use."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypedDict

import pytest
from pydantic import BaseModel
from temporalio import workflow
from temporalio.client import WorkflowHistory

from llmflow import flow
from llmflow.app import App
from llmflow.errors import ConfigInvalid
from llmflow.testing import ScriptedProvider, environment
from llmflow.tools import tool
from tests.helpers.waiting import until


class Limits(BaseModel):
    """Constants of the App."""

    refund: int
    wait: timedelta = timedelta(0)


class Refund(TypedDict):
    """Another type of the same."""

    refund: int


@dataclass
class Wanted:
    """A type that they do not fit."""

    refunds: int


@tool
async def pay(amount: int) -> int:
    """Pay."""
    return amount


@workflow.defn
class Below:
    """A child, of the same App or of another one."""

    @workflow.run
    async def run(self) -> int:
        return (await flow.config(Limits)).refund


@workflow.defn
class Above:
    """Both runs, their branches and their children see one config, whatever is deployed meanwhile."""

    def __init__(self) -> None:
        self.deployed = False

    @workflow.signal
    def go_on(self) -> None:
        self.deployed = True

    @workflow.run
    async def run(self, again: bool) -> list[int]:
        first, second = await asyncio.gather(flow.config(Limits), flow.config(dict[str, int | str]))
        assert first.refund == second["refund"]
        if again:
            await workflow.wait_condition(lambda: self.deployed)
            workflow.continue_as_new(False)
        async with flow.step("pay"):
            paid = await flow.call_tool(pay, first.refund)
        below: int = await workflow.execute_child_workflow(Below.run, id=f"{workflow.info().workflow_id}-below")
        return [paid, below, (await flow.config(Refund))["refund"]]


@workflow.defn
class Misfit:
    @workflow.run
    async def run(self) -> int:
        return (await flow.config(Wanted)).refunds


def app(refund: int) -> App:
    return App(name="shop", workflows=[Above, Below, Misfit], tools=[pay], config=Limits(refund=refund))


def markers(history: WorkflowHistory) -> int:
    return sum(event.HasField("marker_recorded_event_attributes") for event in history.events)


async def test_a_run_keeps_the_constants_that_it_began_with(temporal: str) -> None:
    async with environment(app(100), ScriptedProvider([]), address=temporal) as env:
        run = await env.client.start(Above.run, True, id=env.id())
        await until(lambda: _has_marker(run.handle.fetch_history))
    async with environment(app(7), ScriptedProvider([]), address=temporal, task_queue=env.task_queue) as env:
        again = env.client.run(run.id)
        await again.handle.signal(Above.go_on)
        assert await again.result() == [100, 100, 100]
        assert markers(await again.handle.fetch_history()) == 0, "carried over continue-as-new"
        assert markers(await env.client.temporal.get_workflow_handle(f"{run.id}-below").fetch_history()) == 0
        assert await (await env.client.start(Above.run, False, id=env.id())).result() == [7, 7, 7]


async def _has_marker(fetch):  # type: ignore[no-untyped-def]
    return markers(await fetch())
