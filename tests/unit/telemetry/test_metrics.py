"""Metrics of a call."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from temporalio.common import MetricMeter
from temporalio.runtime import BufferedMetricUpdate, MetricBuffer, Runtime, TelemetryConfig
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from llmflow.errors import LimitReached, LLMFlowError, ProviderUnavailable
from llmflow.telemetry.metrics import (
    CALL_SECONDS,
    COST_USD,
    FAILURES,
    REFUSALS,
    TOKENS,
    UNPRICED_CALLS,
    CallMetrics,
)
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.refs import PromptRef
from llmflow.types.usage import Cost, Usage

REQUEST = CompletionRequest(prompt=PromptRef(name="a/b", version="0123456789ab"), model="openai:gpt")
ABOUT = {"model": "openai:gpt", "prompt": "a/b", "version": "0123456789ab"}

Outcome = CompletionResult | BaseException


class Activity(ActivityInboundInterceptor):
    """An activity that ends as the test says."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    async def execute_activity(self, input: ExecuteActivityInput) -> CompletionResult:
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome


@pytest.fixture(scope="module")
def buffer() -> MetricBuffer:
    return MetricBuffer(10_000)


@pytest.fixture(scope="module")
def meter(buffer: MetricBuffer) -> MetricMeter:
    return Runtime(telemetry=TelemetryConfig(metrics=buffer)).metric_meter


Counted = Callable[..., Awaitable[list[tuple[str, Any, dict[str, Any]]]]]


@pytest.fixture
def counted(buffer: MetricBuffer, meter: MetricMeter) -> Counted:
    """Run one activity, and return its metrics: name, value, and the labels that differ."""

    async def run(outcome: Outcome, activity_type: str = "llmflow.complete") -> list[tuple[str, Any, dict[str, Any]]]:
        buffer.retrieve_updates()
        environment = ActivityEnvironment()
        environment.metric_meter = meter
        environment.info = dataclasses.replace(environment.info, activity_type=activity_type)
        call = CallMetrics().intercept_activity(Activity(outcome))
        given = ExecuteActivityInput(fn=run, args=[REQUEST], executor=None, headers={})
        with suppress(LLMFlowError, LookupError, asyncio.CancelledError):
            await environment.run(call.execute_activity, given)
        return [_readable(update) for update in buffer.retrieve_updates() if update.metric.name.startswith("llmflow")]

    return run


def _readable(update: BufferedMetricUpdate) -> tuple[str, Any, dict[str, Any]]:
    labels = dict(update.attributes)
    assert ABOUT.items() <= labels.items()
    varying = {name: labels[name] for name in ("direction", "outcome", "error") if name in labels}
    return update.metric.name, update.value, varying


async def test_an_answer(counted: Counted) -> None:
    usage = Usage(input_tokens=7, output_tokens=3, cache_read_tokens=5)
    cost = Cost(usd=Decimal("0.25"), source="vendor")
    seconds, *rest = await counted(CompletionResult(text="hi", model="openai:gpt", usage=usage, cost=cost))
    assert (seconds[0], seconds[2]) == (CALL_SECONDS, {"outcome": "answered"})
    assert rest == [
        (TOKENS, 7, {"direction": "input"}),
        (TOKENS, 3, {"direction": "output"}),
        (TOKENS, 5, {"direction": "cached"}),
        (COST_USD, 0.25, {}),
    ]


async def test_an_answer_without_a_price_costs_nothing_known(counted: Counted) -> None:
    answer = CompletionResult(text="hi", model="openai:gpt", usage=Usage(), cost=Cost(source="no price"))
    assert [(name, value) for name, value, _ in (await counted(answer))[1:]] == [(UNPRICED_CALLS, 1)]


@pytest.mark.parametrize("error", [ProviderUnavailable("down"), LookupError("a bug")])
async def test_a_failure(counted: Counted, error: Exception) -> None:
    seconds, failure = await counted(error)
    assert (seconds[0], seconds[2]) == (CALL_SECONDS, {"outcome": "failed"})
    assert failure == (FAILURES, 1, {"error": type(error).__name__})


async def test_a_refusal_of_ours_is_neither_a_failure_nor_a_time(counted: Counted) -> None:
    assert await counted(LimitReached("no room")) == [(REFUSALS, 1, {"error": "LimitReached"})]


async def test_a_cancelled_call_is_no_failure(counted: Counted) -> None:
    assert await counted(asyncio.CancelledError()) == []


async def test_other_activities_are_not_counted(counted: Counted) -> None:
    assert await counted(LookupError("a tool"), activity_type="look_up") == []
