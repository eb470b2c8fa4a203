"""An App for the tests of telemetry: workflows that have everything a trace shows."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from temporalio import workflow
from temporalio.common import RetryPolicy

from llmflow import flow
from llmflow.app import App
from llmflow.errors import ToolRefused
from llmflow.tools import tool


@tool
async def look_up(name: str) -> str:
    """Look a name up."""
    if name == "nobody":
        raise ToolRefused("nobody is not to be found")
    return f"{name} lives in Oslo"


@workflow.defn
class Part:
    """A child."""

    @workflow.run
    async def run(self, name: str) -> str:
        return (await flow.complete("traced/part", {"name": name})).output


@workflow.defn
class Whole:
    """A step, a tool, parallel calls, random numbers, a timer and a child."""

    @workflow.run
    async def run(self, name: str) -> list[str]:
        async with flow.step("greet"):
            greeting = await flow.complete("traced/greet", {"name": name})
        place = await flow.call_tool(look_up, name=name)
        both = await asyncio.gather(*(flow.complete("traced/greet", {"name": one}) for one in ("ben", "cleo")))
        await workflow.sleep(timedelta(milliseconds=1 + workflow.random().randrange(3)))
        child = await workflow.execute_child_workflow(Part.run, name, id=f"part-{workflow.uuid4()}")
        return [greeting.output, place, *(one.output for one in both), child]


@workflow.defn
class Retried:
    """One call that may fail."""

    @workflow.run
    async def run(self, attempts: int) -> str:
        call = flow.CallOptions(retry_policy=RetryPolicy(maximum_attempts=attempts))
        return (await flow.complete("traced/greet", {"name": "ana"}, call=call)).output


@workflow.defn
class Again:
    """Continues as new, once."""

    @workflow.run
    async def run(self, first: bool) -> str:
        answer = await flow.complete("traced/greet", {"name": "ana"})
        if first:
            workflow.continue_as_new(False)
        return answer.output


@workflow.defn
class Stuck:
    """Waits until it is cancelled."""

    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(days=1))


@workflow.defn
class Stumbling:
    """Its first task fails, as bad code makes it, and Temporal tries the task again."""

    @workflow.run
    async def run(self, seen: str) -> None:
        with workflow.unsafe.sandbox_unrestricted():
            first = not Path(seen).exists()
            Path(seen).touch()
        if first:
            raise LookupError("a bug, mended at once")


WORKFLOWS: Sequence[type] = (Again, Part, Retried, Stuck, Stumbling, Whole)

app = App(
    name="traced",
    workflows=WORKFLOWS,
    tools=[look_up],
    prompts=Path(__file__).parent / "hello" / "prompts",
    models=Path(__file__).parent / "hello" / "models.yaml",
)
