"""Spans of model calls and tool calls, with the names of OpenTelemetry's conventions."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from llmflow.errors import LLMFlowError
from llmflow.telemetry import genai
from llmflow.telemetry.content import Content, finish_reason
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.contracts import COMPLETE
from llmflow.types.refs import ModelRef

Attributes = dict[str, str | int | float | tuple[str, ...]]


@dataclass(frozen=True)
class _CallSpan:
    """Span data of one call."""

    name: str
    kind: SpanKind
    attributes: Attributes
    given: Callable[[], Attributes]
    """Content, computed only if the span is recorded."""
    gave: Callable[[Any], Attributes]  # Any: the activity's own result


class CallSpans(Interceptor):
    """Watches the activities of a worker. Each attempt of a call gets its own span; other activities have none."""

    def __init__(self, tracer: Tracer, tools: Collection[str], content: Content) -> None:
        self.tracer = tracer
        self.content = content
        self._tools = frozenset(tools)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See base class."""
        return _Watching(next, self)

    def about(self, input: ExecuteActivityInput) -> _CallSpan | None:
        """Return the call that an activity makes; `None` if it makes none."""
        name = activity.info().activity_type
        if name == COMPLETE.name:
            return self._model(input.args[0])
        return self._tool(name, input.args[0]) if name in self._tools else None

    def _model(self, request: CompletionRequest) -> _CallSpan:
        model = ModelRef.parse(request.model).model
        attributes = {**request_attributes(request), **_address()}
        return _CallSpan(
            f"chat {model}",
            SpanKind.CLIENT,
            attributes,
            given=lambda: {**self.content.of_request(request)},
            gave=lambda result: {**result_attributes(result), **self.content.of_result(result)},
        )

    def _tool(self, name: str, arguments: Any) -> _CallSpan:  # Any: a JSON object
        attributes: Attributes = {
            genai.OPERATION: "execute_tool",
            genai.TOOL_NAME: name,
            genai.TOOL_TYPE: "function",
            **_address(),
        }
        return _CallSpan(
            f"execute_tool {name}",
            SpanKind.INTERNAL,
            attributes,
            given=lambda: {**self.content.of_arguments(arguments)},
            gave=lambda result: {**self.content.of_tool_result(result)},
        )


class _Watching(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, spans: CallSpans) -> None:
        super().__init__(next)
        self._spans = spans

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # Any: the activity's own result
        call = self._spans.about(input)
        if call is None:
            return await super().execute_activity(input)
        with self._spans.tracer.start_as_current_span(
            call.name,
            kind=call.kind,
            attributes=call.attributes,
            record_exception=False,  # messages of errors may quote content
            set_status_on_exception=False,
        ) as span:
            if span.is_recording():
                span.set_attributes(call.given())
            try:
                result: Any = await super().execute_activity(input)
            except BaseException as error:  # also a cancellation: the span records how the attempt ended
                mark_failed(span, error, self._spans.content)
                raise
            if span.is_recording():
                span.set_attributes(call.gave(result))
            return result


def mark_failed(span: Span, error: BaseException, content: Content) -> None:
    """Record the end of a call: the error's class, and its message only if content is asked for.

    A cancellation, or our own refusal before anything was paid, is not an error of the trace.
    """
    span.set_attribute(genai.ERROR_TYPE, type(error).__name__)
    if isinstance(error, LLMFlowError):
        if error.detail.status is not None:
            span.set_attribute(genai.HTTP_STATUS, error.detail.status)
        if error.refusal or error.detail.elsewhere:
            return
    if not isinstance(error, asyncio.CancelledError):
        span.set_status(Status(StatusCode.ERROR, content.of_error(error)))


def request_attributes(request: CompletionRequest) -> Attributes:
    """Return attributes of a request: model, prompt and its version, and the user it is for."""
    asked = ModelRef.parse(request.model)
    options, origin, source = request.options, request.origin, request.source
    return _known(
        {
            genai.OPERATION: "chat",
            genai.PROVIDER: asked.provider,
            genai.REQUEST_MODEL: asked.model,
            genai.REQUEST_TEMPERATURE: options.temperature,
            genai.REQUEST_TOP_P: options.top_p,
            genai.REQUEST_MAX_TOKENS: options.max_output_tokens,
            genai.OUTPUT_TYPE: "json" if request.output else None,
            genai.PROMPT_NAME: request.prompt.name,
            genai.PROMPT_VERSION: request.prompt.version,
            genai.PROMPT_LABEL: source.label,
            genai.PROMPT_ARM: source.arm,
            genai.TENANT: origin.tenant,
            genai.TAGS: origin.tags or None,
        }
    )


def result_attributes(result: CompletionResult) -> Attributes:
    """Return attributes of an answer: model, tokens and cost. An unknown price is left out: it is not 0."""
    usage, cost = result.usage, result.cost
    return _known(
        {
            genai.RESPONSE_MODEL: ModelRef.parse(result.model).model,
            genai.RESPONSE_ID: result.response_id,
            genai.FINISH_REASONS: (finish_reason(result.finish_reason),),
            genai.INPUT_TOKENS: usage.input_tokens,
            genai.OUTPUT_TOKENS: usage.output_tokens,
            genai.CACHE_READ_TOKENS: usage.cache_read_tokens or None,
            genai.CACHE_WRITE_TOKENS: usage.cache_write_tokens or None,
            genai.REASONING_TOKENS: usage.reasoning_tokens or None,
            genai.COST_USD: None if cost.usd is None else float(cost.usd),
            genai.COST_SOURCE: cost.source,
        }
    )


def _known(values: dict[str, str | int | float | tuple[str, ...] | None]) -> Attributes:
    return {name: value for name, value in values.items() if value is not None}


def _address() -> Attributes:
    """Return attributes that find the attempt in history, ledger and Web UI."""
    info = activity.info()
    return {
        genai.WORKFLOW_ID: info.workflow_id or "",
        genai.RUN_ID: info.workflow_run_id or "",
        genai.CALL_ID: info.activity_id,
        genai.CALL_ATTEMPT: info.attempt,
    }
