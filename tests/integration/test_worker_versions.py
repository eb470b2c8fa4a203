"""Workers with versions of Temporal's worker deployments: an open run stays on the code that it began with."""

import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.api.enums.v1 import RoutingConfigUpdateState
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client as TemporalClient
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError
from temporalio.worker import Worker, WorkerDeploymentConfig

from llmflow.client import Client
from llmflow.config import Settings
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.testing import ScriptedProvider, activities_of, approve_when_asked
from llmflow.worker import LLMFlowPlugin
from tests.helpers.waiting import until
from tests.integration.changing import Before, RenamedStep, app_of


@asynccontextmanager
async def serving(address: str, kind: type, version: WorkerDeploymentVersion, home: Path) -> AsyncGenerator[Client]:
    """A worker of that version, which is then the current one."""
    app = app_of(kind)
    plugin = LLMFlowPlugin(
        app,
        settings=Settings(home=home),
        models=ModelCatalogue.only("scripted"),
        providers={"scripted": ScriptedProvider(lambda _: "hello")},
    )
    temporal = await TemporalClient.connect(address, plugins=[plugin])
    deployment = WorkerDeploymentConfig(
        version=version, use_worker_versioning=True, default_versioning_behavior=VersioningBehavior.PINNED
    )
    queue = version.deployment_name
    async with Worker(
        temporal,
        task_queue=queue,
        workflows=app.workflows,
        deployment_config=deployment,
        max_cached_workflows=0,  # so that any worker of the right version may get each workflow task
    ):

        async def is_current() -> bool:
            wanted = SetWorkerDeploymentCurrentVersionRequest(
                namespace="default", deployment_name=queue, build_id=version.build_id
            )
            try:
                await temporal.workflow_service.set_worker_deployment_current_version(wanted)
            except RPCError:
                return False  # the server has not heard of the worker yet
            return True

        async def is_told() -> bool:
            """Return True once the task queue knows: until then it may give a new run to the version before."""
            asked = DescribeWorkerDeploymentRequest(namespace="default", deployment_name=queue)
            found = (await temporal.workflow_service.describe_worker_deployment(asked)).worker_deployment_info
            return found.routing_config_update_state != RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS

        await until(is_current)
        await until(is_told)
        yield Client(temporal, queue)


async def test_an_open_run_stays_with_the_version_that_it_began_with(temporal: str, tmp_path: Path) -> None:
    name = f"articles-{uuid.uuid4()}"
    old, new = WorkerDeploymentVersion(name, "old"), WorkerDeploymentVersion(name, "new")
    async with serving(temporal, Before, old, tmp_path / "old") as client:
        before = await client.start(Before.run, id=str(uuid.uuid4()))

        async def waits() -> bool:
            return bool((await before.approvals()).questions)

        await until(waits)
        async with serving(temporal, RenamedStep, new, tmp_path / "new") as client:
            after = await client.start(RenamedStep.run, id=str(uuid.uuid4()))
            await approve_when_asked(after, "publish", by="ana")
            await approve_when_asked(before, "publish", by="ana")
            assert (await before.result(), await after.result()) == ("hello, hello, hello", "")
            assert "draft/complete#1" in await activities_of(before)
            assert "write/complete#1" in await activities_of(after)
