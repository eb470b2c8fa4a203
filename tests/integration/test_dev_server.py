"""The local server starts, is shared, remembers, never takes a foreign one for its own, and never outlives us."""

import asyncio
import os
import sys
import urllib.request
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import Command, ScheduleActivityTaskCommandAttributes
from temporalio.api.common.v1 import ActivityType
from temporalio.api.enums.v1 import CommandType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedRequest,
)
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import Priority

from llmflow.config import Settings
from llmflow.dev import dev_server
from llmflow.dev.download import download
from llmflow.dev.executable import VERSION, temporal_executable
from llmflow.dev.server import PORT, UI_PORT, standing_server
from tests.helpers.ports import taken


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load().model_copy(update={"home": tmp_path / "home", "temporal_address": None})


@pytest.fixture
def said() -> list[str]:
    return []


async def gone(address: str) -> None:
    """Wait until nothing listens there any more."""
    host, port = address.split(":")
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            return
        writer.close()
        await asyncio.sleep(0.05)  # another process ends: there is no event to wait for


@dataclass
class Owner:
    """Another process that has the server of a folder."""

    process: asyncio.subprocess.Process
    address: str

    async def leave(self) -> None:
        await self.process.communicate(b"\n")


OWNER = """
import asyncio, sys
from llmflow.config import Settings
from llmflow.dev import dev_server
async def main():
    async with dev_server(Settings.load(), lambda line: None) as server:
        print(server.address, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
asyncio.run(main())
"""


@asynccontextmanager
async def owner(settings: Settings) -> AsyncGenerator[Owner]:
    environment = {**os.environ, "LLMFLOW_HOME": str(settings.home), "LLMFLOW_CACHE": str(settings.cache)}
    environment.pop("TEMPORAL_ADDRESS", None)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield Owner(process, (await process.stdout.readline()).decode().strip())
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def test_runs_outlive_a_restart(settings: Settings, said: list[str]) -> None:
    async with dev_server(settings, said.append) as server:
        client = await Client.connect(server.address)
        started = await client.start_workflow("Any", id="survivor", task_queue="nobody")

    await gone(server.address)
    async with dev_server(settings, said.append) as server:
        client = await Client.connect(server.address)
        found = await client.get_workflow_handle("survivor").describe()

    assert (found.run_id, found.status) == (started.result_run_id, WorkflowExecutionStatus.RUNNING)


async def test_a_memory_server_writes_nothing(settings: Settings, tmp_path: Path, said: list[str]) -> None:
    async with dev_server(settings, said.append, memory=True) as server:
        await (await Client.connect(server.address)).start_workflow("Any", id="x", task_queue="nobody")

    await gone(server.address)
    assert os.listdir(tmp_path) == said == []


async def test_what_asks_workers_for_telemetry_does_not_stop_the_server(
    settings: Settings, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")  # which Temporal refuses to start with
    async with dev_server(settings, said.append, memory=True) as server:
        assert server.pid


async def test_the_web_ui_is_where_it_is_said_to_be(settings: Settings, said: list[str]) -> None:
    async with dev_server(settings, said.append) as server:
        assert server.ui_url is not None
        assert f"Temporal server at {server.address}, Web UI at {server.ui_url}" in said[-1]
        with await asyncio.to_thread(urllib.request.urlopen, server.ui_url) as page:
            assert b"<html" in page.read()


async def test_servers_that_start_at_once_take_ports_of_their_own(settings: Settings, said: list[str]) -> None:
    async def address(home: str) -> str:
        async with dev_server(settings.model_copy(update={"home": settings.home / home}), said.append) as server:
            serving.append(server.address)
            while len(serving) < 3:  # until all of them serve
                await asyncio.sleep(0.05)
            return server.address

    serving: list[str] = []
    assert len(set(await asyncio.gather(*map(address, "abc")))) == 3


async def test_a_foreign_program_on_the_usual_ports_is_left_alone(settings: Settings, said: list[str]) -> None:
    with taken(PORT), taken(UI_PORT):
        async with dev_server(settings, said.append) as server:
            await (await Client.connect(server.address)).start_workflow("Any", id="x", task_queue="nobody")

    assert not server.address.endswith(f":{PORT}")
    assert not str(server.ui_url).endswith(f":{UI_PORT}")
    assert said[0] == f"port {PORT} is taken by another program: using {server.address.split(':')[1]}"


async def test_a_second_process_uses_the_server_of_the_first(settings: Settings, said: list[str]) -> None:
    async with owner(settings) as first:
        async with dev_server(settings, said.append) as server:
            assert server.address == first.address
            assert server == await standing_server(settings)
            assert said == [
                f"using the Temporal server at {first.address} that another llmflow process runs; "
                "it ends with that process"
            ]
        assert await Client.connect(first.address)  # leaving it did not stop it

        await first.leave()

    await gone(first.address)
    assert await standing_server(settings) is None


async def test_a_killed_process_takes_its_server_along_and_loses_no_run(settings: Settings, said: list[str]) -> None:
    async with owner(settings) as killed:
        await (await Client.connect(killed.address)).start_workflow("Any", id="survivor", task_queue="nobody")
        killed.process.kill()
        await killed.process.wait()

        # At once: it has to wait until the old server has left the database.
        async with dev_server(settings, said.append) as server:
            client = await Client.connect(server.address)
            assert await client.get_workflow_handle("survivor").describe()

    await gone(server.address)


async def test_cancellation_stops_the_server(settings: Settings, said: list[str]) -> None:
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        async with dev_server(settings, said.append) as server:
            started.set_result(server.address)
            await asyncio.Event().wait()

    working = asyncio.create_task(work())
    address = await started
    working.cancel()

    with pytest.raises(asyncio.CancelledError):
        await working
    await gone(address)
    assert not (settings.home / "server.json").exists()


@pytest.fixture
async def client(settings: Settings, said: list[str]) -> AsyncGenerator[Client]:
    async with dev_server(settings, said.append, memory=True) as server:
        yield await Client.connect(server.address)


async def poll(client: Client, queue: str) -> PollWorkflowTaskQueueResponse:
    request = PollWorkflowTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue))
    return await client.workflow_service.poll_workflow_task_queue(request)


async def test_an_activity_starts_with_the_answer_that_schedules_it(client: Client) -> None:
    await client.start_workflow("Any", id="eager", task_queue="eager")
    task = await poll(client, "eager")
    schedule = ScheduleActivityTaskCommandAttributes(
        activity_id="1",
        activity_type=ActivityType(name="any"),
        task_queue=TaskQueue(name="eager"),
        start_to_close_timeout=Duration(seconds=10),
        request_eager_execution=True,
    )
    command = Command(
        command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK, schedule_activity_task_command_attributes=schedule
    )
    answer = await client.workflow_service.respond_workflow_task_completed(
        RespondWorkflowTaskCompletedRequest(task_token=task.task_token, namespace=client.namespace, commands=[command])
    )

    assert [activity.activity_id for activity in answer.activity_tasks] == ["1"]


async def test_the_urgent_overtakes_the_queue(client: Client) -> None:
    for number in range(44):
        name, key = ("urgent", 1) if number >= 40 else ("patient", 3)
        await client.start_workflow(
            "Any", id=f"{name}-{number}", task_queue="busy", priority=Priority(priority_key=key)
        )
    order = [(await poll(client, "busy")).workflow_execution.workflow_id for _ in range(44)]
    places = [place for place, id in enumerate(order) if id.startswith("urgent")]

    # The queue has partitions, so the four are not simply the first; without priority they are among the last.
    assert len(places) == 4
    assert sum(places) / 4 < 20


async def test_the_download_leaves_the_executable_where_set_up_takes_it(
    settings: Settings, tmp_path: Path, said: list[str]
) -> None:
    """The SDK takes a file of the right name for its own download, so this is all of it but the transfer."""
    (tmp_path / f"temporal-{VERSION}").symlink_to(await temporal_executable(settings, said.append))

    assert await download(VERSION, tmp_path, said.append) == tmp_path / f"temporal-{VERSION}"
