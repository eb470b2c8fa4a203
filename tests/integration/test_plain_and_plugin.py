"""A program that does not use llmflow behaves with the plugin as without it: a test for each row of the docs' table."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from llmflow.config import Settings
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import ScriptedProvider
from llmflow.worker import LLMFlowPlugin
from tests.integration.hello.app import app
from tests.integration.plain_programs import ACTIVITIES, WORKFLOWS

Run = WorkflowHandle[Any, Any]  # Any: workflows of every type
FAILED_TASK = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED


@dataclass(frozen=True)
class Ended:
    """End of a run, or the problem that blocks it, and its history."""

    says: str
    events: tuple[str, ...]


def plugin(home: Path) -> LLMFlowPlugin:
    models, scripted = ModelCatalogue.only("scripted"), ScriptedProvider(lambda _: "hi")
    return LLMFlowPlugin(app, settings=Settings(home=home), models=models, providers={"scripted": scripted})


async def _ended(run: Run) -> Ended:
    """Wait until the run is closed or blocked."""
    events: list[HistoryEvent] = []
    while not (events and (_is_last(events[-1]) or any(one.event_type == FAILED_TASK for one in events))):
        await asyncio.sleep(0.05)
        events = list((await run.fetch_history()).events)
    says = next((_said(one) for one in reversed(events) if _said(one)), "")
    if not _is_last(events[-1]):
        await run.terminate()
    return Ended(says, tuple(name for name in map(_kind, events) if not name.startswith("WORKFLOW_TASK")))


def _is_last(event: HistoryEvent) -> bool:
    return _kind(event).startswith("WORKFLOW_EXECUTION_") and _kind(event).endswith(("COMPLETED", "FAILED"))


def _kind(event: HistoryEvent) -> str:
    return EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")


def _said(event: HistoryEvent) -> str:
    if event.HasField("workflow_execution_failed_event_attributes"):
        return f"failed: {_chain(event.workflow_execution_failed_event_attributes.failure)}"
    if event.HasField("workflow_task_failed_event_attributes"):
        return f"blocked: {_chain(event.workflow_task_failed_event_attributes.failure)}"
    if event.HasField("workflow_execution_completed_event_attributes"):
        return event.workflow_execution_completed_event_attributes.result.payloads[0].data.decode()
    return ""


def _chain(failure: Failure) -> str:
    said = f"{failure.application_failure_info.type}({failure.message})"
    return f"{said} <- {_chain(failure.cause)}" if failure.HasField("cause") else said


async def _handled(client: Client, run: Run) -> list[str]:
    """Results and errors of all handlers of `Handled`."""
    said: list[str] = [str(await run.execute_update("add", "ana"))]
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await run.execute_update("add", "")
    said.append(f"{type(refused.value.cause).__name__}: {refused.value.cause}")
    said.append(str(await run.query("known")))
    await run.signal("tell", "bo")
    return said


Both = Mapping[str, tuple[Ended, Ended]]


async def _all(client: Client) -> dict[str, Ended]:
    """Run every program on one worker."""
    queue = str(uuid.uuid4())

    async def run(name: str, *args: object) -> Ended:
        handle = await client.start_workflow(name, args=args, id=str(uuid.uuid4()), task_queue=queue)
        if name == "Handled":
            said = await _handled(client, handle)
            ended = await _ended(handle)
            return Ended(f"{said} {ended.says}", ended.events)
        return await _ended(handle)

    programs = {"Stray": (), "Lacking": (), "Takes": ({"b": 1},), "Declared": (), "Unwritable": ()}
    programs |= {"Caught": (2_500_000,), "Handled": (2,)}
    async with Worker(client, task_queue=queue, workflows=WORKFLOWS, activities=ACTIVITIES):
        ended = await asyncio.gather(*(run(name, *args) for name, args in programs.items()))
    return dict(zip(programs, ended, strict=True))


@pytest.fixture(scope="module")
async def both(temporal: str, tmp_path_factory: pytest.TempPathFactory) -> Both:
    home = tmp_path_factory.mktemp("home")
    plain = await Client.connect(temporal, data_converter=pydantic_data_converter)
    ours = await Client.connect(temporal, data_converter=pydantic_data_converter, plugins=[plugin(home)])
    without, with_it = await asyncio.gather(_all(plain), _all(ours))
    return {name: (without[name], with_it[name]) for name in without}


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("Stray", "blocked: ValidationError(1 validation error for Row"),
        ("Lacking", "blocked: RuntimeError(Failed decoding arguments) <- ValidationError("),
        ("Takes", "blocked: RuntimeError(Failed decoding arguments) <- ValidationError("),
        ("Declared", "failed: ValidationError(1 validation error for Row"),
        ("Unwritable", "blocked: "),
        ("Caught", '["ActivityError, ApplicationError: PayloadsTooLarge: '),
        ("Handled", "['1', 'ApplicationError: ValidationError: 1 validation error for Row"),
    ],
)
def test_a_program_ends_the_same_way(both: Both, program: str, says: str) -> None:
    without, with_it = both[program]
    assert without.says.startswith(says)
    assert with_it.says.startswith(says)
    assert with_it.events == without.events
    if program != "Unwritable":  # pydantic names the type in other words
        assert with_it.says == without.says
