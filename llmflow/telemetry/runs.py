"""Spans of whole runs: one where a client starts it, and one for the duration of its workflow."""

import asyncio
from typing import Any

from opentelemetry.context import attach
from opentelemetry.trace import SpanKind, Tracer, set_span_in_context
from temporalio import client, worker, workflow

from llmflow.telemetry import genai
from llmflow.telemetry.calls import mark_failed
from llmflow.telemetry.content import Content


class StartSpans(client.Interceptor):
    """Opens a span around the start of a run, so that the trace begins at the client."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:
        """See base class."""
        return _Starting(next, self._tracer)


class _Starting(client.OutboundInterceptor):
    def __init__(self, next: client.OutboundInterceptor, tracer: Tracer) -> None:
        super().__init__(next)
        self._tracer = tracer

    async def start_workflow(self, input: client.StartWorkflowInput) -> client.WorkflowHandle[Any, Any]:
        """Start the workflow in a span with the name that Temporal's own spans have."""
        with self._tracer.start_as_current_span(
            f"StartWorkflow:{input.workflow}",
            kind=SpanKind.CLIENT,
            attributes={genai.WORKFLOW_NAME: input.workflow, genai.WORKFLOW_ID: input.id},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                return await super().start_workflow(input)
            except Exception as error:  # any error: the span records it, and it is raised again
                span.set_attribute(genai.ERROR_TYPE, type(error).__name__)
                raise


class WorkflowSpans(worker.Interceptor):
    """Opens a span around each workflow, the parent of the spans of its calls."""

    def __init__(self, tracer: Tracer, content: Content) -> None:
        self._tracer = tracer
        self._content = content

    def workflow_interceptor_class(
        self, input: worker.WorkflowInterceptorClassInput
    ) -> type[worker.WorkflowInboundInterceptor]:
        """See base class."""
        tracer, content = self._tracer, self._content

        class Spanned(_Running):
            def __init__(self, next: worker.WorkflowInboundInterceptor) -> None:
                super().__init__(next, tracer, content)

        return Spanned


class _Running(worker.WorkflowInboundInterceptor):
    def __init__(self, next: worker.WorkflowInboundInterceptor, tracer: Tracer, content: Content) -> None:
        super().__init__(next)
        self._tracer = tracer
        self._content = content

    async def execute_workflow(self, input: worker.ExecuteWorkflowInput) -> Any:  # Any: the workflow's own result
        """Open one span from the first task to the end of the run. During replay, Temporal's provider ends none."""
        info = workflow.info()
        span = self._tracer.start_span(
            f"invoke_workflow {info.workflow_type}",
            attributes={
                genai.OPERATION: "invoke_workflow",
                genai.WORKFLOW_NAME: info.workflow_type,
                genai.WORKFLOW_ID: info.workflow_id,
                genai.RUN_ID: info.run_id,
            },
        )
        # Never detached: this is the context of the run's own task, and ends with it. A run that is evicted from the
        # sticky cache may be taken apart in another context, where OpenTelemetry would log an error for every such run.
        attach(set_span_in_context(span))
        try:
            result: Any = await super().execute_workflow(input)
        except workflow.ContinueAsNewError:
            span.end()
            raise
        except (Exception, asyncio.CancelledError) as error:  # not an eviction from the sticky cache
            # A failed workflow task is retried, and the run continues: only the end of the run ends its span.
            if workflow.is_failure_exception(error) or _cancelled(error):
                mark_failed(span, error, self._content)
                span.end()
            raise
        span.end()
        return result


def _cancelled(error: BaseException) -> bool:
    return isinstance(error, asyncio.CancelledError) and workflow.cancellation_reason() is not None
