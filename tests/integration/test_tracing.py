"""Traces of real runs: one from the client to the call of a model, whatever happens on the way."""

import asyncio
import gc
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from temporalio.worker import Replayer, Worker

from llmflow import worker
from llmflow.client import Client, connect
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid, ErrorDetail, LimitReached, RateLimited, RunNotCompleted
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.telemetry import genai
from llmflow.telemetry.flush import flush_traces
from llmflow.testing import ScriptedProvider, environment
from llmflow.types.models import ModelResponse
from llmflow.types.usage import Usage
from llmflow.worker import LLMFlowPlugin
from tests.helpers.command_line import ROOT, environ, finished
from tests.helpers.model_server import ModelServer, Reply
from tests.helpers.tracing import id_of, program_provider, traced, tree
from tests.integration.traced import WORKFLOWS, Again, Retried, Stuck, Stumbling, Whole, app

KEY = "sk-planted-3d1c7a90be54f826"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    with traced() as exporter:
        yield exporter


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name]


def values(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def exported(collector: ModelServer) -> list[tuple[str, Span]]:
    """Spans that came over HTTP, each with the name of its service."""
    assert {request.path for request in collector.requests} == {"/v1/traces"}
    requests = [ExportTraceServiceRequest.FromString(request.body) for request in collector.requests]
    return [
        (next(one.value.string_value for one in sent.resource.attributes if one.key == "service.name"), span)
        for request in requests
        for sent in request.resource_spans
        for scope in sent.scope_spans
        for span in scope.spans
    ]


WHOLE = [
    "StartWorkflow:Whole",
    "  invoke_workflow Whole",
    "    chat smart",
    "    chat smart",
    "    chat smart",
    "    execute_tool look_up",
    "    invoke_workflow Part",
    "      chat fast",
]


@pytest.mark.parametrize("cached", [0, 100])
async def test_one_trace_from_the_client_to_the_model_and_nothing_twice(
    temporal: str, spans: InMemorySpanExporter, cached: int, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    plugin = LLMFlowPlugin(
        app,
        settings=Settings(home=tmp_path, store=None),
        models=ModelCatalogue.only("scripted"),
        providers={"scripted": ScriptedProvider(lambda _: "hi")},
    )
    connected = await connect(address=temporal, plugin=plugin)
    queue = f"whole-{uuid.uuid4()}"
    async with Worker(  # without a cache it replays the run at every step
        connected.temporal, task_queue=queue, workflows=app.workflows, max_cached_workflows=cached
    ):
        run = await Client(connected.temporal, queue).start(Whole.run, "ana", id=queue)
        assert await run.result() == ["hi", "ana lives in Oslo", "hi", "hi", "hi"]
    found = spans.get_finished_spans()
    assert tree(found) == WHOLE
    assert len({span.context.trace_id for span in found if span.context}) == 1
    assert not [record for record in caplog.records if record.name.startswith("opentelemetry")]


async def test_what_a_call_says_of_itself(temporal: str, spans: InMemorySpanExporter) -> None:
    usage = Usage(input_tokens=100, output_tokens=20, cache_read_tokens=60, reasoning_tokens=5)
    answer = ModelResponse(text="hi", model="smart-2026", usage=usage, response_id="r1", reported_usd=Decimal("0.0125"))
    async with environment(app, ScriptedProvider([answer]), address=temporal) as env:
        run = await env.client.start(Retried.run, 1, id=env.id(), tenant="acme", tags=["nightly"])
        await run.result()
    [span] = named(spans, "chat smart")
    assert span.kind is SpanKind.CLIENT
    assert span.instrumentation_scope
    assert span.instrumentation_scope.schema_url == genai.SCHEMA_URL
    said = values(span)
    assert len(said.pop(genai.PROMPT_VERSION)) == 12
    assert said.pop(genai.RUN_ID)
    assert said == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "scripted",
        "gen_ai.request.model": "smart",
        "gen_ai.response.model": "smart-2026",
        "gen_ai.response.id": "r1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.reasoning.output_tokens": 5,
        "gen_ai.prompt.name": "traced/greet",
        "llmflow.cost.usd": 0.0125,
        "llmflow.cost.source": "vendor",
        "llmflow.call.id": "complete#1",
        "llmflow.call.attempt": 1,
        "llmflow.tenant": "acme",
        "llmflow.tags": ("nightly",),
        "temporalWorkflowID": run.id,
    }


async def test_each_attempt_is_a_span_and_says_how_it_failed(temporal: str, spans: InMemorySpanExporter) -> None:
    slow = RateLimited("slow down, ana", ErrorDetail(status=429, retry_after=0.01))
    async with environment(app, ScriptedProvider([slow, slow]), address=temporal) as env:
        run = await env.client.start(Retried.run, 2, id=env.id())
        with pytest.raises(RunNotCompleted):
            await run.result()
    first, second = named(spans, "chat smart")
    [whole] = named(spans, "invoke_workflow Retried")
    for number, span in enumerate((first, second), start=1):
        said = values(span)
        assert (said[genai.CALL_ATTEMPT], said["error.type"], said[genai.HTTP_STATUS]) == (number, "RateLimited", 429)
        assert span.status.status_code is StatusCode.ERROR
        assert span.parent and span.parent.span_id == id_of(whole)
    assert (values(whole)["error.type"], whole.status.status_code) == ("RateLimited", StatusCode.ERROR)
    assert "ana" not in "".join(span.to_json() for span in spans.get_finished_spans())


async def test_a_refusal_of_ours_is_no_error_of_the_trace(temporal: str, spans: InMemorySpanExporter) -> None:
    full = LimitReached("no room", ErrorDetail(retry_after=0.01))
    async with environment(app, ScriptedProvider([full, "hi"]), address=temporal) as env:
        await (await env.client.start(Retried.run, 2, id=env.id())).result()
    refused, answered = named(spans, "chat smart")
    assert (values(refused)["error.type"], refused.status.status_code) == ("LimitReached", StatusCode.UNSET)
    assert "error.type" not in values(answered)


async def test_a_tool_that_says_no(temporal: str, spans: InMemorySpanExporter) -> None:
    async with environment(app, ScriptedProvider(lambda _: "hi"), address=temporal) as env:
        with pytest.raises(RunNotCompleted):
            await (await env.client.start(Whole.run, "nobody", id=env.id())).result()
    [span] = named(spans, "execute_tool look_up")
    said = values(span)
    assert (said["gen_ai.operation.name"], said["gen_ai.tool.name"]) == ("execute_tool", "look_up")
    assert (said["error.type"], said[genai.CALL_ID]) == ("ToolRefused", "look_up#1")


async def test_continue_as_new_goes_on_in_the_same_trace(temporal: str, spans: InMemorySpanExporter) -> None:
    async with environment(app, ScriptedProvider(lambda _: "hi"), address=temporal) as env:
        assert await (await env.client.start(Again.run, True, id=env.id())).result() == "hi"
    assert tree(spans.get_finished_spans()) == [
        "StartWorkflow:Again",
        "  invoke_workflow Again",
        "    chat smart",
        "    invoke_workflow Again",
        "      chat smart",
    ]


async def test_a_cancelled_run_ends_its_span(temporal: str, spans: InMemorySpanExporter) -> None:
    async with environment(app, ScriptedProvider(["hi"]), address=temporal) as env:
        run = await env.client.start(Stuck.run, id=env.id())
        await run.handle.query("llmflow.usage")  # its first task is done, and it is thrown out of the cache
        await run.cancel()
        with pytest.raises(RunNotCompleted):
            await run.result()
    [span] = named(spans, "invoke_workflow Stuck")
    assert (values(span)["error.type"], span.status.status_code) == ("CancelledError", StatusCode.UNSET)


async def test_a_workflow_task_that_fails_is_no_end_of_the_run(
    temporal: str, spans: InMemorySpanExporter, tmp_path: Any
) -> None:
    connected = await connect(address=temporal, plugin=LLMFlowPlugin(app))
    queue = f"stumbling-{uuid.uuid4()}"
    async with Worker(connected.temporal, task_queue=queue, workflows=[Stumbling]):  # `environment` fails it at once
        await (await Client(connected.temporal, queue).start(Stumbling.run, str(tmp_path / "seen"), id=queue)).result()
    [span] = named(spans, "invoke_workflow Stumbling")
    assert "error.type" not in values(span)


async def test_a_run_that_is_dropped_from_memory_logs_no_error(
    temporal: str, spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    connected = await connect(address=temporal, plugin=LLMFlowPlugin(app))
    queue = f"dropped-{uuid.uuid4()}"
    # Unsafe, so that the collector takes the run apart, as it does where a worker ends in a hurry.
    async with Worker(connected.temporal, task_queue=queue, workflows=[Stuck], disable_safe_workflow_eviction=True):
        run = await Client(connected.temporal, queue).start(Stuck.run, id=queue)
        await run.handle.query("llmflow.usage")  # its first task is done
    gc.collect()
    await run.terminate("seen enough")
    assert not spans.get_finished_spans()[1:], "only its start"
    assert not [record for record in caplog.records if record.name.startswith("opentelemetry")]


@pytest.mark.parametrize("recorded_with_traces", [True, False])
async def test_a_run_may_begin_traced_and_end_untraced(temporal: str, recorded_with_traces: bool) -> None:
    with program_provider(None) if not recorded_with_traces else traced():
        async with environment(app, ScriptedProvider(lambda _: "hi"), address=temporal) as env:
            run = await env.client.start(Whole.run, "ana", id=env.id())
            await run.result()
            history = await run.handle.fetch_history()
    with traced() as spans:
        plugin = LLMFlowPlugin(app)
        await Replayer(workflows=WORKFLOWS, plugins=[plugin]).replay_workflow(history)
        assert not spans.get_finished_spans()
    with program_provider(None):
        await Replayer(workflows=WORKFLOWS, plugins=[LLMFlowPlugin(app)]).replay_workflow(history)


async def test_any_provider_will_do_for_a_client_and_only_a_replay_safe_one_for_a_worker(temporal: str) -> None:
    exporter = InMemorySpanExporter()
    plain = TracerProvider(shutdown_on_exit=False)
    plain.add_span_processor(SimpleSpanProcessor(exporter))
    with program_provider(plain):
        client = Client((await connect(address=temporal)).temporal, task_queue=str(uuid.uuid4()))
        run = await client.start(Stuck.run, id=str(uuid.uuid4()))
        await run.handle.terminate()
        assert [span.name for span in exporter.get_finished_spans()] == ["StartWorkflow:Stuck"]
        with pytest.raises(ConfigInvalid, match=r"a TracerProvider, which would .*create_tracer_provider\(\)"):
            async with environment(app, ScriptedProvider([]), address=temporal):
                pass


async def test_the_environment_alone_switches_traces_on(temporal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole worker, the real SDK, a collector over HTTP; with all content, and a key that nobody may see."""
    async with ModelServer(Reply.text("good day")) as vendor, ModelServer(Reply()) as collector:
        monkeypatch.setenv("OPENAI_BASE_URL", vendor.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.port}")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "greeter")
        monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
        with program_provider(None):
            queue, ready, stop = str(uuid.uuid4()), asyncio.Event(), asyncio.Event()
            serving = asyncio.create_task(
                worker.run(app, address=temporal, task_queues=[queue], ready=lambda _: ready.set(), stop=stop)
            )
            await asyncio.wait([serving, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
            client = Client((await connect(address=temporal)).temporal, queue)
            vendor.script(Reply.error(401, message=f"bad key {KEY}"))
            run = await client.start(Retried.run, 1, id=str(uuid.uuid4()))
            assert await run.result() == "good day"  # of the second candidate
            stop.set()
            await serving
            await asyncio.to_thread(flush_traces)
    found = exported(collector)
    assert {service for service, _ in found} == {"greeter"}
    names = ["StartWorkflow:Retried", "chat gpt-first", "chat gpt-second", "invoke_workflow Retried"]
    assert sorted(span.name for _, span in found) == names
    assert len({span.trace_id for _, span in found}) == 1
    everything = b"".join(request.body for request in collector.requests)
    assert b"good day" in everything
    assert b"bad key" in everything
    assert KEY.encode() not in everything


async def test_a_command_sends_its_span_before_it_ends(temporal: str) -> None:
    """It ends without Python's own clean-up, where the SDK would send what is left."""
    async with ModelServer(Reply()) as collector:
        env = environ(TEMPORAL_ADDRESS=temporal, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.port}")
        done = await finished("start", "--app", "tests.integration.traced:app", "Stuck", "--json", cwd=ROOT, env=env)
    assert done.code == 0, done.err
    assert [span.name for _, span in exported(collector)] == ["StartWorkflow:Stuck"]
