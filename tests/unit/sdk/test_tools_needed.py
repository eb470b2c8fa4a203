"""Tools that a workflow needs are found in its code; an App that lacks one is refused before any run starts."""

import pytest
from temporalio import workflow

from llmflow import flow
from llmflow.app import App
from llmflow.errors import ConfigInvalid
from llmflow.sdk.tools_needed import tools_needed
from llmflow.tools import tool
from llmflow.worker.apps import check_tools
from tests.integration import fleet


@tool
async def called() -> None:
    """Called in `run`."""


@tool
async def offered() -> None:
    """Offered to a model, in a lambda."""


@tool
async def undone(parcel: str) -> None:
    """Undoes another."""


@tool
async def passed_on() -> None:
    """Called in a function of the module, by a class of it."""


@tool(task_queue="gpu")
async def on_a_gpu() -> None:
    """Served by other workers."""


@tool
async def elsewhere() -> None:
    """Called with another task queue."""


@tool
async def of_the_child() -> None:
    """Called by a child workflow, which may have another App."""


class Helper:
    """Calls a tool for the workflow."""

    @staticmethod
    async def help() -> None:
        """Pass on."""
        await _help()


async def _help() -> None:
    await flow.call_tool(passed_on)


@workflow.defn
class Child:
    """Another workflow."""

    @workflow.run
    async def run(self) -> None:
        """Call a tool."""
        await flow.call_tool(of_the_child)


class Base:
    """Has a method of the workflow."""

    async def undo(self, saga: flow.Saga) -> None:
        """Call a tool with its compensation."""
        await saga.do(fleet.send, "it", undo=undone)


@workflow.defn
class Parent(Base):
    """Uses tools in every way."""

    @workflow.run
    async def run(self) -> None:
        """Call, offer, pass on, and start a child."""
        await flow.call_tool(called)
        ask = [lambda: flow.complete("a/b", tools=[offered])]
        await ask[0]()
        async with flow.Saga() as saga:
            await self.undo(saga)
        await Helper.help()
        await flow.call_tool(on_a_gpu)
        await workflow.execute_child_workflow(Child.run)

    @workflow.signal
    async def send(self) -> None:
        """Call a tool of other workers."""
        await flow.call_tool(elsewhere.with_options(task_queue="other"))


def test_every_way_to_use_a_tool_is_found() -> None:
    assert sorted(tools_needed(Parent)) == ["called", "offered", "passed_on", "send", "undone"]


def test_an_app_that_lacks_one_is_refused() -> None:
    served = [called, offered, passed_on, fleet.send]
    app = App(name="lacking", workflows=[Parent], tools=served)
    assert app.missing_tools == (("Parent", "undone"),)
    with pytest.raises(ConfigInvalid, match=r"workflow Parent uses the tool `undone`, which App 'lacking' does not"):
        check_tools(app)
    check_tools(App(name="whole", workflows=[Parent], tools=[*served, undone]))
