"""A real Temporal server, a worker and a client, for one test."""

import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from temporalio.worker import Worker

from llmflow.app import App
from llmflow.client import Client, add_attributes, connect
from llmflow.config import Settings
from llmflow.dev.server import dev_server
from llmflow.plugin import LLMFlowPlugin
from llmflow.providers.base import Provider
from llmflow.providers.catalogue import Catalogue, load_catalogue
from llmflow.testing.time import compressed_time
from llmflow.types.models import Candidate
from llmflow.worker import activities, check_prompts

SCRIPTED = "scripted"
"""The name of the provider in what a test records."""

_log = logging.getLogger("llmflow.testing")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What a test has while `environment` is open."""

    client: Client
    """Connected; its runs go to the worker of this environment alone."""
    app: App

    def id(self) -> str:
        """A new id for a run."""
        return f"{self.app.name}-{uuid.uuid4()}"


@dataclass(frozen=True, kw_only=True)
class _Scripted(Catalogue):
    """A catalogue in which every name that another one knows means the script."""

    known: Catalogue

    def resolve(self, name: str, unit: str = "") -> tuple[Candidate, ...]:
        """See base class."""
        self.known.resolve(name, unit)
        return super().resolve(name, unit)


@asynccontextmanager
async def server() -> AsyncGenerator[str]:
    """The address of a Temporal server that keeps nothing: the one of `TEMPORAL_ADDRESS`, or a new one.

    It starts in about 0.1 s, so a session-wide fixture is enough for a whole suite.
    """
    async with dev_server(Settings.load(), _log.info, memory=True) as started:
        yield started.address


@asynccontextmanager
async def environment(
    app: App,
    provider: Provider,
    *,
    address: str,
    store: str | None = None,
    time_factor: float = 1,
    max_cached_workflows: int = 0,
) -> AsyncGenerator[Environment]:
    """Serve `app` on a task queue of its own, with `provider` behind every model. Nobody is told of approvals.

    A bug in a workflow's code fails its run, so that `run.result()` shows it.

    Args:
        app: What to test.
        provider: Usually a `ScriptedProvider`. Whatever model is named, it is asked; where the App has a models.yaml, a
            name that is not in there is `ModelNotFound`, as in production.
        address: Of a Temporal server, such as `server()` gives.
        store: Where calls are recorded, as in `LLMFLOW_STORE`; a file that goes away with the environment if left out.
        time_factor: Makes the timers of workflows shorter; see `compressed_time`.
        max_cached_workflows: 0 replays the whole history at every step, so that what is not deterministic fails here.

    Raises:
        ConfigInvalid: a prompt names a model that the App's models.yaml has not, or a tool that the App has not.
    """
    catalogue = Catalogue.only(SCRIPTED)
    if app.models:
        known = load_catalogue(app.models)
        check_prompts(app, known)
        catalogue = _Scripted(providers={}, aliases={}, sole=SCRIPTED, known=known)
    with TemporaryDirectory() as home:  # what a test serves and pays is not kept in the project's own store
        # Nor does the webhook of whoever runs the test learn of what it asks.
        settings = Settings(home=Path(home), store=store, webhook=None, webhook_secret=None)
        served = activities(
            app,
            settings=settings,
            catalogue=catalogue,
            providers={SCRIPTED: provider},
        )
        connected = await connect(
            address=address, store=settings.store_url, plugin=LLMFlowPlugin(app, activities=served)
        )
        await add_attributes(connected.temporal, settings.attributes)
        queue = f"{app.name}-{uuid.uuid4()}"
        worker = Worker(
            connected.temporal,
            task_queue=queue,
            workflows=app.workflows,
            interceptors=[compressed_time(time_factor)] if time_factor != 1 else [],
            max_cached_workflows=max_cached_workflows,
            # In production a bug leaves the run open until it is mended; here nobody would mend it.
            workflow_failure_exception_types=[Exception],
        )
        async with worker:
            yield Environment(client=Client(connected.temporal, queue, settings.store_url), app=app)
