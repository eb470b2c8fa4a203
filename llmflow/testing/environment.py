"""A real Temporal server, a worker and a client, for one test."""

import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from temporalio.worker import Worker

from llmflow.app import App
from llmflow.client import Client, Run, connect
from llmflow.client.search_attributes import add_attributes
from llmflow.config import Settings
from llmflow.dev.server import dev_server
from llmflow.providers.models.catalogue import ModelCatalogue, load_model_catalogue
from llmflow.stores.database import Database
from llmflow.testing.history import StartedRuns, assert_all_replay
from llmflow.testing.time import skip
from llmflow.types.models import Candidate
from llmflow.types.providers import Provider
from llmflow.worker import LLMFlowPlugin
from llmflow.worker.apps import check_prompts

SCRIPTED = "scripted"
"""Name of the provider in the records of a test."""

_log = logging.getLogger("llmflow.testing")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A running worker and its client, while `environment` is open."""

    client: Client
    """Connected client; only the worker of this environment serves its runs."""
    app: App

    def id(self) -> str:
        """Return a new id for a run."""
        return f"{self.app.name}-{uuid.uuid4()}"

    async def skip(self, run: Run[Any], by: timedelta) -> None:  # Any: runs with results of every type
        """Skip time for one run: its timers fire in their order, and its code handles each.

        It moves the clock of the run, and of the runs that continue it: `workflow.now()`, timers, the deadlines and
        reminders of approvals, the wait before an activity's next attempt, timeouts of the run. The clock pauses while
        an activity is running or a child is open: an activity is awaited, and a child has a clock of its own, which
        begins with its parent's time. A run that ends earlier has no time left.

        It moves no other clock: that of people, vendors and activities, of the ledger, of schedules, of other runs.

        Args:
            run: The run.
            by: Time from its own present: a started timer fires if it is not longer.

        Raises:
            InputInvalid: `by` is not a length of time.
            RunNotFound: no run has this id.
            ConfigInvalid: the server is too old, or its time skipping is not enabled; the message says what is needed.
            AssertionError: for a minute, the run waits for something other than a timer; the message names it.
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
    """Yield the address of a Temporal server that keeps nothing: the one of `TEMPORAL_ADDRESS`, or a new one.

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
    """Serve `app` on a task queue of its own, with `provider` behind every model. Approvals send no notifications.

    The task queues of the App's tools are served, too, under their own names. A test whose call goes to another queue
    brings the worker: `Worker(env.client.temporal, task_queue="gpu-large")`.

    A bug in a workflow's code fails its run, so that `run.result()` shows it; so does a tool, prompt or model that the
    worker lacks, for which a run elsewhere waits. When the environment closes, it replays
    each run that its worker has executed, so that code which is not deterministic fails the test.

    Args:
        app: App to test.
        provider: Usually a `ScriptedProvider`. It answers for every model. If the App has a models.yaml, a
            name that is not in it is `ModelNotFound`, as in production.
        address: Address of a Temporal server, such as `server()` yields.
        store: Location of the ledger, as in `LLMFLOW_STORE`; a file that is deleted with the environment if left out.
        replay: False for a test that leaves histories behind which cannot replay, on purpose.

    Raises:
        AssertionError: at the end, if nothing else was raised: a run does not replay. The message is Temporal's own.
        ConfigInvalid: a prompt names a model that models.yaml lacks, or a tool that the App lacks.
    """
    models = ModelCatalogue.only(SCRIPTED)
    if app.models:
        known = load_model_catalogue(app.models, app.providers)
        check_prompts(app, known)
        models = _Scripted(providers={}, aliases={}, sole=SCRIPTED, known=known)
    with TemporaryDirectory() as home:  # a test's prompts and calls stay out of the project's own store
        # Nor does the developer's webhook get the test's questions.
        settings = Settings(home=Path(home), store=store, webhook=None, webhook_secret=None)
        plugin = LLMFlowPlugin(app, settings=settings, models=models, providers={SCRIPTED: provider}, is_fleet=True)
        connected = await connect(address=address, store=settings.store_url, plugin=plugin)
        async with Database(settings.store_url):
            pass  # a test may read the store before the worker has made it
        await add_attributes(connected.temporal, settings.attributes)
        queue = f"{app.name}-{uuid.uuid4()}"
        started = StartedRuns()
        worker = Worker(
            connected.temporal,
            task_queue=queue,
            workflows=app.workflows,
            activities=plugin.calls,
            interceptors=[started],
            # In production a bug leaves the run open until the code is fixed; here nobody would fix it.
            workflow_failure_exception_types=[Exception],
            max_heartbeat_throttle_interval=timedelta(seconds=1),  # a test does not wait 10 s for a cancellation
        )
        async with AsyncExitStack() as serving:
            for one in (worker, *(Worker(connected.temporal, task_queue=queue) for queue in app.tool_queues)):
                await serving.enter_async_context(one)
            yield Environment(client=Client(connected.temporal, queue, settings.store_url), app=app)
        if replay:
            await assert_all_replay(connected.temporal, started.runs, app)
