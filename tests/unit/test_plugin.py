"""What the plugin makes of a configuration."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from temporalio.converter import DataConverter, DefaultFailureConverter, DefaultPayloadConverter
from temporalio.worker import WorkerConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from llmflow.converter.failures import LLMFlowFailureConverter
from llmflow.converter.payloads import LLMFlowPayloadConverter
from llmflow.errors import ConfigInvalid, LLMFlowError
from llmflow.plugin import LLMFlowPlugin
from tests.integration.hello.app import app


class Foreign(DefaultPayloadConverter): ...


class ForeignFailures(DefaultFailureConverter): ...


class FakeClient:
    """Stands where a plugin only asks which interceptors the client has."""

    def config(self, *, active_config: bool) -> dict[str, Any]:
        return {"interceptors": []}


def worker_config(**options: Any) -> WorkerConfig:
    config: Any = {"client": FakeClient(), "workflow_runner": SandboxedWorkflowRunner(), **options}
    return LLMFlowPlugin(app).configure_worker(config)


def test_the_users_codec_stays() -> None:
    given = dataclasses.replace(DataConverter.default, payload_codec=object())  # type: ignore[arg-type]  any codec
    config = LLMFlowPlugin().configure_client({"data_converter": given})
    converter = config["data_converter"]
    assert converter.payload_codec is given.payload_codec
    assert converter.payload_converter_class is LLMFlowPayloadConverter
    assert converter.failure_converter_class is LLMFlowFailureConverter


@pytest.mark.parametrize(
    "given",
    [
        dataclasses.replace(DataConverter.default, payload_converter_class=Foreign),
        dataclasses.replace(DataConverter.default, failure_converter_class=ForeignFailures),
    ],
)
def test_a_converter_that_we_would_replace_is_refused(given: DataConverter) -> None:
    with pytest.raises(ConfigInvalid, match="Foreign"):
        LLMFlowPlugin().configure_client({"data_converter": given})


def test_values_that_lose_or_pay_are_replaced() -> None:
    config = worker_config(
        graceful_shutdown_timeout=timedelta(),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=10),
        max_heartbeat_throttle_interval=timedelta(seconds=60),
    )
    assert config["graceful_shutdown_timeout"] == timedelta(seconds=60)
    assert config["sticky_queue_schedule_to_start_timeout"] == timedelta(seconds=5)
    assert config["max_heartbeat_throttle_interval"] == timedelta(seconds=1)
    assert LLMFlowError in config["workflow_failure_exception_types"]


def test_values_of_the_user_stay() -> None:
    config = worker_config(
        graceful_shutdown_timeout=timedelta(seconds=7), sticky_queue_schedule_to_start_timeout=timedelta(seconds=3)
    )
    assert config["graceful_shutdown_timeout"] == timedelta(seconds=7)
    assert config["sticky_queue_schedule_to_start_timeout"] == timedelta(seconds=3)


def test_the_sandbox_stays_with_our_modules_passed_through() -> None:
    runner = worker_config()["workflow_runner"]
    assert isinstance(runner, SandboxedWorkflowRunner)
    assert {"llmflow", "minijinja", "tests.integration.hello.schemas"} <= runner.restrictions.passthrough_modules


def test_without_activities_a_worker_serves_workflows_alone() -> None:
    assert "activities" not in worker_config()
