"""`llmflow worker`: a process that serves one App."""

from datetime import timedelta
from typing import Annotated

import typer
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import WorkerDeploymentConfig

from llmflow import worker as workers
from llmflow.cli.apps import load
from llmflow.cli.bridge import run
from llmflow.cli.options import AppPath, AsJson, Log, LogLevel, parse_duration
from llmflow.cli.output import say
from llmflow.cli.serving import log_to_terminal, print_served, show_served, show_worker_log
from llmflow.cli.target import Target
from llmflow.client import Client
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid
from llmflow.worker.calls import GRACEFUL_SHUTDOWN
from llmflow.worker.serving import WorkerOptions

Grace = Annotated[
    timedelta | None,
    typer.Option(parser=parse_duration, metavar="30s|5m|2h", help="Time for in-flight calls when it stops, usually 2m"),
]
Cached = Annotated[int | None, typer.Option(min=0, help="Runs in the sticky cache")]
Deployment = Annotated[
    str | None, typer.Option(envvar="TEMPORAL_DEPLOYMENT_NAME", help="Worker deployment; needs --build-id")
]
BuildId = Annotated[
    str | None, typer.Option(envvar="TEMPORAL_WORKER_BUILD_ID", help="Version in the deployment; runs stay with it")
]
AddAttributes = Annotated[
    bool, typer.Option("--add-search-attributes", help="Add search attributes that the namespace lacks")
]


def worker(
    *,
    app: AppPath = None,
    task_queue: Annotated[
        list[str] | None, typer.Option(help="Task queue instead of the App's own; may be repeated")
    ] = None,
    max_concurrent_activities: Annotated[int, typer.Option(min=1, help="Model calls and tool calls at once")] = 100,
    grace: Grace = None,
    max_cached_workflows: Cached = None,
    deployment: Deployment = None,
    build_id: BuildId = None,
    add_search_attributes: AddAttributes = False,
    metrics: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Serve metrics for Prometheus here")] = None,
    health: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Answer health checks over HTTP here")] = None,
    address: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Address of Temporal, instead of the usual")
    ] = None,
    log_level: Log = LogLevel.WARNING,
    json: AsJson = False,
) -> None:
    """Serve an App.

    It runs until SIGTERM or Ctrl-C, and finishes its in-flight calls before it ends. On a task queue of the App's tools
    it runs no workflows and needs no model. With --json, it prints what it serves once it is ready.

    Example: llmflow worker --app workflows.research.app:app --health 127.0.0.1:8080
    """
    served = load(app)
    settings = Settings.load()
    queues = task_queue or [served.task_queue]
    options = _options(max_cached_workflows, _version(deployment, build_id))

    async def serve() -> None:
        target = await Target.choose(address)

        def ready(_: Client) -> None:
            show_served(served, settings, queues, target.address)
            show_worker_log(usually=True)
            say("\nserving; Ctrl-C stops it, after the in-flight calls", "dim")
            if json:
                print_served(served, settings, queues, target.address, target.ui_url)

        await workers.run(
            served,
            settings=settings,
            address=target.address,
            task_queues=queues,
            max_concurrent_activities=max_concurrent_activities,
            grace=GRACEFUL_SHUTDOWN if grace is None else grace,
            metrics=metrics,
            health=health,
            add_search_attributes=add_search_attributes,
            ready=ready,
            **options,
        )

    log_to_terminal(log_level)
    run(serve())


def _version(deployment: str | None, build_id: str | None) -> WorkerDeploymentConfig | None:
    """Return the worker's version. A workflow that says nothing of versions is pinned to that of its start."""
    if deployment and build_id:
        return WorkerDeploymentConfig(
            version=WorkerDeploymentVersion(deployment_name=deployment, build_id=build_id),
            use_worker_versioning=True,
            default_versioning_behavior=VersioningBehavior.PINNED,
        )
    if deployment or build_id:
        raise ConfigInvalid("a worker's version has two parts: give --deployment and --build-id, or neither")
    return None


def _options(cached: int | None, version: WorkerDeploymentConfig | None) -> WorkerOptions:
    options = WorkerOptions()
    if cached is not None:
        options["max_cached_workflows"] = cached
    if version:
        options["deployment_config"] = version
    return options
