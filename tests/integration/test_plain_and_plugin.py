"""A program that does not use llmflow behaves with the plugin as without it: a test for each row of the docs' table."""

import asyncio
import logging
import time
import traceback
import uuid
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, HeaderCodecBehavior, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.contrib.opentelemetry import OpenTelemetryInterceptor, TracingInterceptor
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.runtime import MetricBuffer, Runtime, TelemetryConfig
from temporalio.worker import (
    Interceptor,
    Replayer,
    Worker,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import Info

import llmflow
from llmflow.config import Settings
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.telemetry.tracing import beside_another, trace_interceptors
from llmflow.testing import ScriptedProvider
from llmflow.worker import LLMFlowPlugin
from tests.helpers.tracing import traced
from tests.helpers.waiting import until
from tests.integration.hello.app import app
from tests.integration.hello.schemas import Greeting
from tests.integration.hello.workflows import Typed
from tests.integration.plain_programs import ACTIVITIES, WORKFLOWS, Calls, Neighbour, greet


class Zip(PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(data=zlib.compress(one.SerializeToString())) for one in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(zlib.decompress(one.data)) for one in payloads]


Run = WorkflowHandle[Any, Any]  # Any: workflows of every type
FAILED_TASK = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED


@dataclass(frozen=True)
class Ended:
    """End of a run, or the problem that blocks it, and its history."""

    says: str
    events: tuple[str, ...]


def plugin(home: Path, *, encode_headers: bool = True) -> LLMFlowPlugin:
    return LLMFlowPlugin(
        app,
        settings=Settings(home=home),
        models=ModelCatalogue.only("scripted"),
        providers={"scripted": ScriptedProvider(lambda _: Greeting(text="hi", warmth=1))},
        encode_headers=encode_headers,
    )


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


CHANGED = {"activities", "interceptors", "no_remote_activities", "plugin_shutdown_timeout", "workflows"}
"""Options of a worker that the plugin changes; a runner that is the default is replaced by its like."""


async def test_no_other_option_of_a_worker_changes(temporal: str, tmp_path: Path) -> None:
    ours = await Client.connect(temporal, plugins=[plugin(tmp_path)])
    chosen: dict[str, Any] = {"graceful_shutdown_timeout": timedelta(), "plugin_shutdown_timeout": timedelta(seconds=9)}
    for given in ({}, chosen):
        worker = Worker(ours, task_queue=f"options-{len(given)}", workflows=WORKFLOWS, activities=ACTIVITIES, **given)
        before, after = worker.config(), dict(worker.config(active_config=True))
        same = {name for name, value in before.items() if value == after[name]}
        assert set(before) - same <= CHANGED - set(given) | {"client", "workflow_runner"}
    alone = Worker(ours, task_queue="options", workflows=WORKFLOWS).config(active_config=True)
    assert alone["no_remote_activities"], "it polls for no activity, because its owner registered none"


async def test_a_plain_activity_sends_as_many_heartbeats(temporal: str, tmp_path: Path) -> None:
    sent: list[int] = []
    for plugins in ([], [plugin(tmp_path)]):
        requests = MetricBuffer(10_000)
        runtime = Runtime(telemetry=TelemetryConfig(metrics=requests))
        client, queue = await Client.connect(temporal, plugins=plugins, runtime=runtime), str(uuid.uuid4())
        async with Worker(client, task_queue=queue, workflows=[Calls], activities=ACTIVITIES):
            await client.execute_workflow(Calls.run, "beat", id=queue, task_queue=queue)
        updates = [one for one in requests.retrieve_updates() if one.metric.name == "temporal_request"]
        sent.append(sum(int(one.value) for one in updates if "Heartbeat" in str(one.attributes["operation"])))
    assert max(sent) <= 2, "the first one, and the last one if it was not sent yet"


async def test_a_worker_stops_as_soon(temporal: str, tmp_path: Path) -> None:
    for plugins in ([], [plugin(tmp_path)]):
        client, queue = await Client.connect(temporal, plugins=plugins), str(uuid.uuid4())
        async with Worker(client, task_queue=queue, workflows=[Calls], activities=ACTIVITIES):
            run = await client.start_workflow(Calls.run, "endless", id=queue, task_queue=queue)
            await until(lambda run=run: _is_running(run))
            began = time.monotonic()
        assert time.monotonic() - began < 10, "not the 60 s of its activity"
        await run.terminate()


async def _is_running(run: Run) -> bool:
    pending = (await run.describe()).raw_description.pending_activities
    return bool(pending) and bool(pending[0].HasField("last_started_time"))


async def test_a_worker_without_a_sticky_cache_is_warned(
    temporal: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = await Client.connect(temporal, plugins=[plugin(tmp_path)])
    with caplog.at_level(logging.WARNING, "llmflow.worker"):
        Worker(client, task_queue="warned", workflows=[Neighbour], max_cached_workflows=0)
        assert "max_cached_workflows=0" in caplog.text
        caplog.clear()
        Worker(client, task_queue="kept", workflows=[Neighbour])
        assert not caplog.text


async def test_a_worker_leaves_its_neighbours_activities_alone(temporal: str, tmp_path: Path) -> None:
    plain = await Client.connect(temporal)
    ours = await Client.connect(temporal, plugins=[plugin(tmp_path)])
    queue = str(uuid.uuid4())
    here = Worker(ours, task_queue=queue, workflows=[Neighbour, Typed])
    # One neighbour is another process, and one is in this.
    there = [Worker(client, task_queue=queue, activities=[greet]) for client in (plain, ours)]
    async with here, there[0], there[1]:
        starts = (
            ours.start_workflow(Neighbour.run, "ana", id=f"{queue}-{number}", task_queue=queue) for number in range(20)
        )
        runs = await asyncio.gather(*starts)
        assert await asyncio.gather(*(run.result() for run in runs)) == ["hello ana"] * 20
        call = await ours.start_workflow(Typed.run, "ana", id=queue, task_queue=queue)
        assert await call.result() == Greeting(text="hi", warmth=1)
    history = await call.fetch_history()
    queues = [event.activity_task_scheduled_event_attributes.task_queue.name for event in history.events]
    assert set(filter(None, queues)) == {f"{queue}.llmflow"}
    await Replayer(workflows=[Typed], plugins=[LLMFlowPlugin(app)]).replay_workflow(history)


async def test_an_interceptor_sees_no_call_of_ours(temporal: str, tmp_path: Path) -> None:
    asked = Asked()
    client, queue = await Client.connect(temporal, plugins=[plugin(tmp_path)]), str(uuid.uuid4())
    worker = Worker(client, task_queue=queue, workflows=[Neighbour], activities=[greet], interceptors=[asked])
    async with worker:
        await client.execute_workflow(Neighbour.run, "ana", id=queue, task_queue=queue)
    files = [Path(file) for file in asked.files]
    assert "plain_programs.py" in {file.name for file in files}
    assert not [file for file in files if file.is_relative_to(PRODUCT)]


PRODUCT = Path(llmflow.__file__).parent


class Asked(Interceptor):
    """Collects the files that call `workflow.info()`. Their number depends on how often a run is replayed."""

    def __init__(self) -> None:
        self.files: list[str] = []

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """See base class."""
        asked = self

        class Out(WorkflowOutboundInterceptor):
            def info(self) -> Info:
                asked.files += callers()
                return super().info()

        class In(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(Out(outbound))

        return In


def callers() -> list[str]:
    """Return the file of the code that asks, without interceptors that pass the question on, and the SDK."""
    stack = [frame for frame in traceback.extract_stack()[:-2] if frame.name != "info"]
    return [next(frame.filename for frame in reversed(stack) if "/temporalio/" not in frame.filename)]


@pytest.mark.parametrize("theirs", [TracingInterceptor(), OpenTelemetryInterceptor()])
def test_calls_are_traced_beside_temporals_own_tracer(theirs: object) -> None:
    with traced():
        ours = trace_interceptors({})
        assert trace_interceptors({"LLMFLOW_TRACES": "false"}) == ()
        assert list(beside_another([theirs, *ours], ours, [theirs, *ours])) == [theirs, ours[-1]]
        assert list(beside_another(ours, ours, ours)) == list(ours)


def test_headers_stay_as_the_client_has_them(tmp_path: Path) -> None:
    def configured(*, encode_headers: bool) -> HeaderCodecBehavior:
        codec = replace(DataConverter.default, payload_codec=Zip())
        config: Any = {"data_converter": codec, "header_codec_behavior": HeaderCodecBehavior.NO_CODEC}  # Any: a part
        return plugin(tmp_path, encode_headers=encode_headers).configure_client(config)["header_codec_behavior"]

    assert configured(encode_headers=False) == HeaderCodecBehavior.NO_CODEC
    assert configured(encode_headers=True) == HeaderCodecBehavior.CODEC
