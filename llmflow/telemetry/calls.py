"""A span for every call of a model and of a tool, with the names of OpenTelemetry's conventions."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from llmflow.errors import LLMFlowError
from llmflow.telemetry import genai
from llmflow.telemetry.content import Content, finish_reason
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.contracts import COMPLETE

T = TypeVar("T")

Attributes = dict[str, str | int | float | tuple[str, ...]]


class CallSpans(Interceptor):
    """Watches the activities of a worker. Each attempt is a span of its own; other activities have none."""

    def __init__(self, tracer: Tracer, tools: Collection[str], content: Content) -> None:
        self._tracer = tracer
        self._tools = frozenset(tools)
        self._content = content

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See base class."""
        return _Watching(next, self._tracer, self._tools, self._content)


class _Watching(ActivityInboundInterceptor):
    def __init__(
        self, next: ActivityInboundInterceptor, tracer: Tracer, tools: frozenset[str], content: Content
    ) -> None:
        super().__init__(next)
        self._tracer = tracer
        self._tools = tools
        self._content = content

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # Any: the activity's own result
        name = activity.info().activity_type
        if name == COMPLETE.name:
            return await self._model(input, input.args[0])
        if name in self._tools:
            return await self._tool(input, name)
        return await super().execute_activity(input)

    async def _model(self, input: ExecuteActivityInput, request: CompletionRequest) -> CompletionResult:
        attributes = {**request_attributes(request), **_call_attributes()}
        model = attributes[genai.REQUEST_MODEL]
        with self._tracer.start_as_current_span(
            f"chat {model}",
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,  # its message may hold what was said
            set_status_on_exception=False,
        ) as span:
            if span.is_recording():
                span.set_attributes(self._content.of_request(request))
            result: CompletionResult = await _failing(span, super().execute_activity, input)
            if span.is_recording():
                span.set_attributes({**result_attributes(result), **self._content.of_result(result)})
            return result
