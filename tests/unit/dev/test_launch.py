"""The server is started with the settings that llmflow needs, and a start that fails says why."""

import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from llmflow.dev.launch import running_server
from llmflow.errors import ServerUnavailable

from .machine import Program


@pytest.fixture
def log() -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as log:
        yield log


async def test_dispatch_timers_eager_activities_and_fairness_are_on(
    tmp_path: Path, program: Program, log: IO[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = tmp_path / "arguments"
    server = program("temporal", f'echo "$@" > {arguments}; echo "Server:  localhost:7777"; /bin/sleep 1000')
    monkeypatch.setenv("PATH", "/bin:/usr/bin")

    async with running_server(server, ["--headless"], port=7777, log=log, stop=signal.SIGKILL):
        assert arguments.read_text().split() == [
            *("server", "start-dev", "--ip", "127.0.0.1", "--port", "7777"),
            *("--dynamic-config-value", "history.transferProcessorMaxPollRPS=10000"),
            *("--dynamic-config-value", "history.transferProcessorMaxPollHostRPS=10000"),
            *("--dynamic-config-value", 'history.timerProcessorMaxTimeShift="1ms"'),
            *("--dynamic-config-value", "history.timerProcessorMaxPollRPS=10000"),
            *("--dynamic-config-value", "history.timerProcessorMaxPollHostRPS=10000"),
            *("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"),
            *("--dynamic-config-value", "system.enableActivityEagerExecution=true"),
            *("--dynamic-config-value", "matching.useNewMatcher=true"),
            *("--dynamic-config-value", "matching.enableFairness=true"),
            "--headless",
        ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("echo warned >&2; echo 'database disk image is malformed' >&2; exit 1", "database disk image is malformed"),
        ("echo 'Server:  localhost:9999'", "it said nothing"),
    ],
)
async def test_a_server_that_does_not_start_says_why(
    body: str, reason: str, program: Program, log: IO[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = program("temporal", body)
    monkeypatch.setenv("PATH", "/bin:/usr/bin")

    with pytest.raises(ServerUnavailable, match=f"the Temporal server did not start: {reason}"):
        async with running_server(server, [], port=7777, log=log, stop=signal.SIGKILL):
            pass


async def test_a_foreign_server_on_the_port_is_not_taken_for_ours(
    program: Program, log: IO[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = program("temporal", "echo 'bind: address already in use' >&2; exit 1")
    monkeypatch.setenv("PATH", "/bin:/usr/bin")

    with socket.create_server(("127.0.0.1", 0)) as foreign, pytest.raises(ServerUnavailable, match="already in use"):
        async with running_server(server, [], port=foreign.getsockname()[1], log=log, stop=signal.SIGKILL):
            pass
