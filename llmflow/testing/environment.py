"""A real Temporal server, a worker and a client, for one test."""

import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from temporalio.worker import Worker

from llmflow.app import App
from llmflow.client import Client, Run, add_attributes, connect
from llmflow.config import Settings
from llmflow.dev.server import dev_server
from llmflow.plugin import LLMFlowPlugin
from llmflow.providers.models.catalogue import ModelCatalogue, load_model_catalogue
from llmflow.testing.history import StartedRuns, assert_all_replay
from llmflow.testing.time import skip
from llmflow.types.models import Candidate
from llmflow.types.providers import Provider
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

    async def skip(self, run: Run[Any], by: timedelta) -> None:  # Any: runs with results of every type
        """Let time pass for one run, in no time: its timers fire in their order, and its code handles each.

        It moves the clock of the run, and of the runs that continue it: `workflow.now()`, timers, the deadlines and
        reminders of approvals, the wait before an activity's next attempt, timeouts of the run. The clock stands still
        while an activity is running or a child is open: an activity is waited for, and a child has a clock of its own,
        which begins with its parent's time. A run that ends earlier has no time left.

        It moves no other clock: that of people, vendors and activities, of the ledger, of schedules, of other runs.

        Args:
            run: Which run.
            by: From its own present: a timer that it has started is due if it is not longer.

        Raises:
            InputInvalid: `by` is no length of time.
            RunNotFound: no run has this id.
            ConfigInvalid: the server is too old, or its time skipping is not enabled; the message says what is needed.
            AssertionError: the run waits for something else for longer than a minute; the message says for what.
        """
        await skip(self.client.temporal, run, by)


@dataclass(frozen=True, kw_only=True)
class _Scripted(ModelCatalogue):
    """A model catalogue in which every name that another one knows means the script."""

    known: ModelCatalogue

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
    replay: bool = True,
) -> AsyncGenerator[Environment]:
    """Serve `app` on a task queue of its own, with `provider` behind every model. Nobody is told of approvals.

    A bug in a workflow's code fails its run, so that `run.result()` shows it. When the environment closes, each run
    that its worker has executed is replayed, so that code which is not deterministic fails the test.

    Args:
        app: What to test.
        provider: Usually a `ScriptedProvider`. Whatever model is named, it is asked; where the App has a models.yaml, a
            name that is not in there is `ModelNotFound`, as in production.
        address: Of a Temporal server, such as `server()` gives.
        store: Where calls are recorded, as in `LLMFLOW_STORE`; a file that goes away with the environment if left out.
        replay: False for a test that leaves histories behind which cannot replay, on purpose.

    Raises:
        AssertionError: at the end, if nothing else was raised: a run does not replay. The message is Temporal's own.
        ConfigInvalid: a prompt names a model that the App's models.yaml has not, or a tool that the App has not.
    """
    models = ModelCatalogue.only(SCRIPTED)
    if app.models:
        known = load_model_catalogue(app.models, app.providers)
        check_prompts(app, known)
        models = _Scripted(providers={}, aliases={}, sole=SCRIPTED, known=known)
    with TemporaryDirectory() as home:  # what a test serves and pays is not kept in the project's own store
        # Nor does the webhook of whoever runs the test learn of what it asks.
        settings = Settings(home=Path(home), store=store, webhook=None, webhook_secret=None)
        served = activities(
            app,
            settings=settings,
            models=models,
            providers={SCRIPTED: provider},
        )
        connected = await connect(
            address=address, store=settings.store_url, plugin=LLMFlowPlugin(app, activities=served)
        )
        await add_attributes(connected.temporal, settings.attributes)
        queue = f"{app.name}-{uuid.uuid4()}"
        started = StartedRuns()
        worker = Worker(
            connected.temporal,
            task_queue=queue,
            workflows=app.workflows,
            interceptors=[started],
            # In production a bug leaves the run open until it is mended; here nobody would mend it.
            workflow_failure_exception_types=[Exception],
        )
        async with worker:
            yield Environment(client=Client(connected.temporal, queue, settings.store_url), app=app)
        if replay:
            await assert_all_replay(connected.temporal, started.runs, app)
