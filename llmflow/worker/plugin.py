"""The plugin for clients whose workers serve Apps."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import timedelta
from functools import cached_property
from typing import Any

from temporalio.worker import ReplayerConfig, Worker, WorkerConfig

from llmflow import plugin
from llmflow.activities.events.log import EventLog
from llmflow.activities.fleet import Fleet
from llmflow.app import App
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.sdk.options import is_default
from llmflow.stores.events.places import event_streams
from llmflow.types.events import RunEvent
from llmflow.types.providers import Provider
from llmflow.worker.calls import calls_worker, grace_of, with_our_defaults
from llmflow.worker.served import record_workflows
from llmflow.worker.wiring import Activities, Given, Lifespan, activities, pins_alone, shared

_log = logging.getLogger("llmflow.worker")
_NO_CACHE = (
    "max_cached_workflows=0: Temporal evicts runs while their prompts are pinned, which are local activities, and their"
    " workflow tasks time out under load; keep more than the workflow tasks at once"
)


class LLMFlowPlugin(plugin.LLMFlowPlugin):
    """llmflow for a Temporal client and its workers, which serve one App or several.

    Give it once, to the client: its workers inherit it. `Worker(workflows=...)` lists the workflows of a worker, as
    everywhere in Temporal. Its own task queue is polled only for what it lists: llmflow's activities have another one,
    `<task queue>.llmflow`, which a second worker inside of it serves. A worker that lists nothing serves both queues.

    ```python
    client = await Client.connect("localhost:7233", plugins=[LLMFlowPlugin(app)])
    worker = Worker(client, task_queue="mine", workflows=app.workflows)
    ```

    A worker with `no_remote_activities=True` only runs workflows, whose calls other workers make: it asks no model
    and needs no keys.
    """

    def __init__(
        self,
        *apps: App,
        settings: Settings | None = None,
        models: ModelCatalogue | None = None,
        providers: Mapping[str, Provider] | None = None,
        encode_headers: bool = True,
        is_fleet: bool = False,
    ) -> None:
        """Configure. Prompts, models and prices are read when the first worker is made.

        Args:
            apps: Apps that the workers serve. A prompt belongs to the App at the beginning of its name.
            settings: Settings; from the environment by default.
            models: Model catalogue of all Apps, instead of the models.yaml of the App or the environment.
            providers: Providers by name, instead of those of models.yaml; tests give scripted ones.
            encode_headers: See `llmflow.plugin.LLMFlowPlugin`.
            is_fleet: True if no other worker serves the queue, as in a test. A call of something that the worker lacks
                then fails at once, instead of waiting for a worker that has it.

        Raises:
            ConfigInvalid: no App was given; or two Apps have the same name, or different workflows or tools of the same
                name.
        """
        if not apps:
            raise ConfigInvalid(
                "LLMFlowPlugin() of llmflow.worker: give it the workers' Apps, as in LLMFlowPlugin(app)"
            )
        settings = settings or Settings.load()
        super().__init__(*apps, codec=settings.codec, storage=settings.storage, encode_headers=encode_headers)
        self._apps = apps
        self._calls: dict[tuple[int, str, str], Callable[[], AbstractAsyncContextManager[None]]] = {}
        self._given = Given(settings=settings, models=models, providers=providers, fleet=Fleet(is_fleet))

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """See base class.

        Raises:
            ConfigInvalid: a models.yaml or prices.yaml does not parse; an extra is missing; or there are two plugins.
            PromptInvalid: a prompt does not parse; the message has file:line:column.
        """
        served = self._served(config)
        if config.get("workflows") and config.get("max_cached_workflows") == 0:
            _log.warning(_NO_CACHE)
        if self._serves_calls(config):
            with_our_defaults(config)
        elif not config.get("activities"):  # it polls for none, unless it has nothing else to do
            is_idle = not (config.get("workflows") or config.get("nexus_service_handlers"))
            config["activities"] = served.calls if is_idle else served.local
            config["no_remote_activities"] = not is_idle
        else:
            config["activities"] = [*config.get("activities", ()), *served.local]
        config["interceptors"] = [*config.get("interceptors", ()), *served.interceptors]
        if served.calls and is_default(config, "plugin_shutdown_timeout"):  # as long as calls may take to finish
            config["plugin_shutdown_timeout"] = grace_of(config) + timedelta(minutes=1)
        return super().configure_worker(config)

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        """See base class. Opens the activities' resources, and serves llmflow's calls, while the worker runs."""
        served = self._served(worker.config())
        async with AsyncExitStack() as needed:
            try:
                await needed.enter_async_context(served.lifespan(worker.client))
                await needed.enter_async_context(self._writing())
                await record_workflows(served.database, self._apps, worker)
                if served.calls:
                    await needed.enter_async_context(self._calling(worker, served)())
            except Exception:  # of any class: `async with Worker` would wait for ever for a worker that never started
                await asyncio.gather(worker.shutdown(), next(worker))
                raise
            await next(worker)

    @property
    def calls(self) -> Sequence[Callable[..., Any]]:  # Any: activities of every signature
        """All activities of llmflow, for a worker of nothing else: its calls then stay on its own task queue.

        Temporal starts them eagerly there, without the way through the server's queue.
        """
        return self._all.calls

    @property
    def lifespan(self) -> Lifespan:
        """Open what the activities need. Workers do so themselves; a caller that does it first gets the error."""
        return self._all.lifespan

    def _calling(self, worker: Worker, served: Activities) -> Callable[[], AbstractAsyncContextManager[None]]:
        """Share the worker of calls: Temporal allows one for a client and a task queue."""
        key = (id(worker.client.service_client), worker.client.namespace, worker.task_queue)
        if key not in self._calls:
            self._calls[key] = shared(lambda: calls_worker(worker, served.calls))
        return self._calls[key]

    def _serves_calls(self, config: WorkerConfig | ReplayerConfig) -> bool:
        given: Mapping[str, Any] = {"activities": (), **config}  # Any: activities of every signature
        if config.get("no_remote_activities"):  # without a look at its calls, which need the keys of providers
            return False
        return bool(given["activities"]) and set(self.calls).issubset(given["activities"])

    def _tells(self, config: WorkerConfig | ReplayerConfig) -> Callable[[str, RunEvent], None]:
        return self._events.tell if "client" in config else super()._tells(config)  # a replayer has none

    @cached_property
    def _events(self) -> EventLog:
        return EventLog(event_streams(self._given.settings.events_url))

    @cached_property
    def _writing(self) -> Callable[[], AbstractAsyncContextManager[None]]:
        """Write run events while a worker of the plugin runs."""
        return shared(self._events.serving)

    def _served(self, config: WorkerConfig) -> Activities:
        return self._pins if config.get("no_remote_activities") else self._all

    @cached_property
    def _all(self) -> Activities:
        return activities(self._apps, self._given, self._events)

    @cached_property
    def _pins(self) -> Activities:
        return pins_alone(self._apps, self._given)
