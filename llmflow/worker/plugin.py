"""The plugin of clients whose workers serve Apps."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import cached_property

from temporalio.worker import Worker, WorkerConfig

from llmflow import plugin
from llmflow.app import App
from llmflow.config import Settings
from llmflow.errors import ConfigInvalid
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.types.providers import Provider
from llmflow.worker.wiring import Activities, Given, Lifespan, activities, pins_alone


class LLMFlowPlugin(plugin.LLMFlowPlugin):
    """llmflow for a Temporal client, and for the workers made with it that serve one App or several.

    Give it once, to the client: its workers inherit it, with the activities that the Apps need. `Worker(workflows=...)`
    says which workflows a worker runs, as everywhere in Temporal; one without any makes calls alone.

    ```python
    client = await Client.connect("localhost:7233", plugins=[LLMFlowPlugin(app)])
    worker = Worker(client, task_queue="mine", workflows=app.workflows)
    ```

    A worker with `no_remote_activities=True` runs workflows alone, whose calls other workers make: it asks no model and
    needs no keys.
    """

    def __init__(
        self,
        *apps: App,
        settings: Settings | None = None,
        models: ModelCatalogue | None = None,
        providers: Mapping[str, Provider] | None = None,
    ) -> None:
        """Configure. Prompts, models and prices are read when the first worker is made.

        Args:
            apps: What the workers serve. A prompt is of the App that its name begins with.
            settings: From the environment if left out.
            models: For each App, instead of the models.yaml of the App or the environment.
            providers: By name, instead of those that models.yaml describes; tests give scripted ones.

        Raises:
            ConfigInvalid: there is no App; or two have one name, or mean two things by one name of a workflow type or
                a tool.
        """
        if not apps:
            raise ConfigInvalid("LLMFlowPlugin() of llmflow.worker: give it the Apps that the workers serve")
        super().__init__(*apps)
        self._apps = apps
        self._given = Given(settings=settings or Settings.load(), models=models, providers=providers)

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """See base class.

        Raises:
            ConfigInvalid: a models.yaml or prices.yaml does not parse; an extra is missing; or there are two plugins.
            PromptInvalid: a prompt does not parse; says file:line:column.
        """
        served = self._pins if config.get("no_remote_activities") else self._all
        config["activities"] = [*config.get("activities", ()), *served.functions]
        config["interceptors"] = [*config.get("interceptors", ()), *served.interceptors]
        return super().configure_worker(config)

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        """See base class. Opens what the activities need while the worker runs; raises why it cannot."""
        served = self._pins if worker.config(active_config=True).get("no_remote_activities") else self._all
        async with AsyncExitStack() as needed:
            try:
                await needed.enter_async_context(served.lifespan(worker.client))
            except Exception:  # of whatever kind: `async with Worker` would wait for ever for a worker that never began
                await asyncio.gather(worker.shutdown(), next(worker))
                raise
            await next(worker)

    @property
    def lifespan(self) -> Lifespan:
        """Open what the activities need. Workers do so themselves; a caller that does it first gets the error."""
        return self._all.lifespan

    @cached_property
    def _all(self) -> Activities:
        return activities(self._apps, self._given)

    @cached_property
    def _pins(self) -> Activities:
        return pins_alone(self._apps, self._given)
