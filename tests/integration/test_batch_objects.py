"""A method means the same for few items and for many: on a new object, or it is refused before anything is paid."""

import uuid
from base64 import b64encode
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError
from temporalio.worker import Worker, WorkerDeploymentConfig

from llmflow.client import Run
from llmflow.errors import InputInvalid, PayloadTooLarge, RunNotCompleted
from llmflow.plugin import LLMFlowPlugin
from llmflow.testing import Environment, ScriptedProvider, activities_of, environment
from tests.helpers.waiting import until
from tests.integration.batched import MANY, Large, Pinned, Same, Scale, app

SUM = sum(range(MANY))


@pytest.fixture
async def env(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider([]), address=temporal) as opened:
        yield opened


async def children(run: Run[Any]) -> list[str]:
    """Types of the children of a run."""
    events = (await run.handle.fetch_history()).events
    started = [event.start_child_workflow_execution_initiated_event_attributes for event in events]
    return [one.workflow_type.name for one in started if one.workflow_id]


@pytest.mark.parametrize(
    ("change", "said"), [("set", "`self.box`, `self.factor`"), ("grown", "`self.box`"), ("counted", "`self.seen`")]
)
async def test_a_method_that_would_find_something_else_is_refused(env: Environment, change: str, said: str) -> None:
    run = await env.client.start(Scale.run, args=[change], id=env.id())
    with pytest.raises(
        RunNotCompleted, match=f"children call `scale` on a new Scale.*, where {said} would differ"
    ) as failed:
        await run.result()
    assert isinstance(failed.value.__cause__, InputInvalid)
    assert await children(run) == await activities_of(run) == []
    assert await run.steps() == ()

    few = await env.client.start(Scale.run, args=[change, MANY - 1], id=env.id())
    assert await few.result() == (SUM - MANY + 1) * (3 if change == "set" else 2)


@pytest.mark.parametrize(("change", "batches"), [("", 2), ("function", 2), ("lambda", 0), ("partial", 0)])
async def test_what_works_for_few_items_works_for_many(env: Environment, change: str, batches: int) -> None:
    run = await env.client.start(Scale.run, args=[change], id=env.id())
    assert await run.result() == SUM * 2
    assert await children(run) == ["llmflow.batch"] * batches


async def test_what_a_method_writes_is_kept_or_refused(env: Environment) -> None:
    few = await env.client.start(Scale.run, args=["collects", MANY - 1], id=env.id())
    assert await few.result() == (SUM - MANY + 1) * 2

    many = await env.client.start(Scale.run, args=["collects"], id=env.id())
    with pytest.raises(RunNotCompleted, match=r"items of a fan-out change `self.box`, which is lost: above 500"):
        await many.result()
    assert await children(many) == ["llmflow.batch"]  # the first one, of as many items as `limit`


async def test_an_object_in_the_same_state_is_the_same(env: Environment) -> None:
    run = await env.client.start(Same.run, 5, id=env.id())

    async def has_begun() -> bool:
        return bool(await run.steps())

    await until(has_begun)
    await run.handle.signal("tell")  # reaches the object of the run, whatever others were made since
    assert await run.result() == SUM * 5
    assert await children(run) == ["llmflow.batch"] * 2


async def test_a_dynamic_workflow_has_batches(env: Environment) -> None:
    run = await env.client.start("Whatever", 7, id=env.id())
    assert await run.result() == SUM * 7
    assert await children(run) == ["llmflow.batch"] * 2


def text(size: int) -> str:
    """A text that hardly compresses."""
    return b64encode(Random(1).randbytes(size)).decode()[:size]


@pytest.mark.parametrize(("way", "size"), [("method", 990_000), ("function", 1_400_000)])
async def test_a_large_input_has_room_beside_the_items(env: Environment, way: str, size: int) -> None:
    run = await env.client.start(Large.run, args=[text(size), 390_000, way], id=env.id())
    assert await run.result() == 390_000 + (MANY * size if way == "method" else 0)
    assert await children(run) == ["llmflow.batch"] * 2


@pytest.mark.parametrize(
    ("size", "first", "said"),
    [(1_010_000, 10, "the workflow's input of 1,010,"), (900_000, 550_000, r"a str of 550,002 .*at most 499,")],
)
async def test_an_input_without_room_is_refused(env: Environment, size: int, first: int, said: str) -> None:
    run = await env.client.start(Large.run, args=[text(size), first, "method"], id=env.id())
    with pytest.raises(RunNotCompleted, match=said) as failed:
        await run.result()
    assert isinstance(failed.value.__cause__, PayloadTooLarge)
    assert await children(run) == await activities_of(run) == []


async def test_nobody_else_starts_a_batch(env: Environment) -> None:
    run = await env.client.start("llmflow.batch", id=env.id())
    with pytest.raises(RunNotCompleted, match=r"start the workflow that fans out"):
        await run.result()


async def serve_new_runs(client: Client, version: WorkerDeploymentVersion) -> None:
    """Wait until new runs go to this version."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=version.deployment_name, build_id=version.build_id
    )

    async def current() -> bool:
        try:
            await client.workflow_service.set_worker_deployment_current_version(request)
        except RPCError:  # the server has not heard of its pollers yet
            return False
        return True

    await until(current)


@pytest.mark.parametrize(
    ("default", "behaves"),
    [
        (VersioningBehavior.UNSPECIFIED, VersioningBehavior.PINNED),
        (VersioningBehavior.AUTO_UPGRADE, VersioningBehavior.AUTO_UPGRADE),
    ],
)
async def test_a_versioned_worker_serves_batches(
    temporal: str, default: VersioningBehavior, behaves: VersioningBehavior
) -> None:
    client = await Client.connect(temporal, plugins=[LLMFlowPlugin(app)])
    queue, version = str(uuid.uuid4()), WorkerDeploymentVersion(f"batched-{uuid.uuid4()}", "1")
    deployment = WorkerDeploymentConfig(version, use_worker_versioning=True, default_versioning_behavior=default)
    async with Worker(client, task_queue=queue, workflows=[Pinned], deployment_config=deployment):
        await serve_new_runs(client, version)
        assert await client.execute_workflow(Pinned.run, id=queue, task_queue=queue) == SUM
        described = [await client.get_workflow_handle(id).describe() for id in (queue, f"{queue}/same[0-499]")]
    told = [one.raw_description.workflow_execution_info.versioning_info for one in described]
    assert [one.behavior for one in told] == [VersioningBehavior.PINNED, behaves]
    assert {one.deployment_version.deployment_name for one in told} == {version.deployment_name}
