"""Metrics of model calls, on the Prometheus port of a worker.

Labels are few, and what an operator compares: model (as asked, `provider:model`), prompt and its version. Runs, users
and tenants are not labels: each value would be a time series of its own in every worker's memory and in Prometheus,
for ever. The ledger answers for them (`llmflow cost`).
"""

import asyncio
import time
from types import MappingProxyType
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from llmflow.errors import LLMFlowError
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.contracts import COMPLETE
from llmflow.types.usage import Usage

# Names come out as they are here: Temporal's prefix is for its own metrics. Counters have no `_total`, because the
# runtime's option `counters_total_suffix` appends one. A dot in a name or a label would make
# Temporal's core drop the value. All have the labels model, prompt and version, and those that Temporal adds to
# everything of an activity: namespace, task_queue, activity_type.

TOKENS = "llmflow_tokens"
"""Counter. Label direction: `input` and `output` are whole; `cached` and `cache_write` are parts of `input`, and
`reasoning` is one of `output`."""
COST_USD = "llmflow_cost_usd"
"""Histogram: US dollars of each answer whose price is known; `llmflow_cost_usd_sum` is the sum. A histogram, because
Temporal's counters hold whole numbers."""
UNPRICED_CALLS = "llmflow_unpriced_calls"
"""Counter: answers without a known price, which the cost lacks."""
CALL_SECONDS = "llmflow_call_seconds"
"""Histogram: seconds of each attempt that was not refused. Label outcome: `answered` or `failed`."""
FAILURES = "llmflow_failures"
"""Counter: attempts that failed. Label error: class of the error, such as `RateLimited`."""
REFUSALS = "llmflow_refusals"
"""Counter: attempts that llmflow itself refused before anything was asked or paid. Label error: as above."""
BUDGET_WARNINGS = "llmflow_budget_warnings"
"""Counter: times that a budget of people passed a share of its limit. Labels scope and percent (50, 80, 100) alone."""
STUCK_RUNS = "llmflow_stuck_runs"
"""Gauge: running runs of a task queue that a bug blocks. Labels task_queue and namespace alone."""

BUCKETS = MappingProxyType(
    {
        CALL_SECONDS: (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 600.0),
        COST_USD: (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0),
    }
)
"""Upper bounds. Reasoning models think for minutes, and most calls cost less than a cent: the defaults (0.05 to 10)
would show neither."""


class CallMetrics(Interceptor):
    """Counts every model call of a worker. Without a metrics port the numbers go nowhere, and cost next to nothing."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See base class."""
        return _Counting(next)


class _Counting(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # Any: the activity's own result
        if activity.info().activity_type != COMPLETE.name:
            return await super().execute_activity(input)
        call, started = _CallMetrics(input.args[0]), time.monotonic()
        try:
            result: CompletionResult = await super().execute_activity(input)
        except asyncio.CancelledError:
            raise  # a user cancelled it, which is not a failure
        except Exception as error:  # any error: it is counted and raised again
            call.failed(error, time.monotonic() - started)
            raise
        call.answered(result, time.monotonic() - started)
        return result


class _CallMetrics:
    def __init__(self, request: CompletionRequest) -> None:
        prompt = request.prompt
        self._meter = activity.metric_meter().with_additional_attributes(
            {"model": request.model, "prompt": prompt.name, "version": prompt.version}
        )

    def answered(self, result: CompletionResult, seconds: float) -> None:
        self._took(seconds, "answered")
        tokens = self._meter.create_counter(TOKENS, "Tokens of answered calls.")
        for direction, count in _directions(result.usage).items():
            if count:
                tokens.add(count, {"direction": direction})
        if result.cost.usd is None:
            self._meter.create_counter(UNPRICED_CALLS, "Answers whose price is not known.").add(1)
        else:
            spent = self._meter.create_histogram_float(COST_USD, "US dollars of each answer.")
            spent.record(float(result.cost.usd))

    def failed(self, error: Exception, seconds: float) -> None:
        label = {"error": type(error).__name__}
        if isinstance(error, LLMFlowError) and (error.refusal or error.detail.elsewhere):
            self._meter.create_counter(REFUSALS, "Attempts that llmflow refused: nothing was paid.").add(1, label)
            return
        self._took(seconds, "failed")
        self._meter.create_counter(FAILURES, "Attempts that failed.").add(1, label)

    def _took(self, seconds: float, outcome: str) -> None:
        histogram = self._meter.create_histogram_float(CALL_SECONDS, "Seconds of each attempt.")
        histogram.record(seconds, {"outcome": outcome})


def _directions(usage: Usage) -> dict[str, int]:
    return {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "cached": usage.cache_read_tokens,
        "cache_write": usage.cache_write_tokens,
        "reasoning": usage.reasoning_tokens,
    }
