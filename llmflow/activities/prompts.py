"""The activities behind pins and `flow.render`."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from temporalio import activity

from llmflow.errors import ModelNotFound, PromptError
from llmflow.providers.catalogue import Catalogue
from llmflow.stores.prompts import Prompt, render
from llmflow.stores.registry import Registry
from llmflow.stores.rollouts import Unit
from llmflow.types.attributes import SearchAttributes
from llmflow.types.contracts import RENDER, RESOLVE
from llmflow.types.prompts import PinnedPrompt, Pins, PromptSource, RenderedPrompt, RenderRequest, ResolveRequest

KnownAttributes = Callable[[], Awaitable[SearchAttributes]]
"""Says which search attributes the namespace has, of those that runs shall write."""


class PromptActivities:
    """Reads prompts and models.yaml. Runs follow the `label` of a prompt that has it, the others follow their files."""

    def __init__(self, registry: Registry, catalogue: Catalogue, label: str, attributes: KnownAttributes) -> None:
        self._registry = registry
        self._catalogue = catalogue
        self._label = label
        self._attributes = attributes

    @activity.defn(name=RESOLVE.name)
    async def resolve(self, request: ResolveRequest) -> Pins:
        """Choose, once per run and folder, the versions of prompts and the models that may answer them.

        Raises:
            PromptNotFound: no prompt has that name.
            PromptVersionMissing: the label points to a version that the store does not have.
            ModelNotFound: models.yaml has no such alias or provider.
            StoreUnavailable: the store does not answer.
        """
        run = request.origin.root or activity.info().workflow_id or activity.info().activity_id
        chosen = await self._choose(request, run)
        asked = chosen[request.prompt][0]
        wanted = request.model or asked.model
        models = {wanted: self._catalogue.resolve(wanted, run)} if wanted else {}
        for prompt, _ in chosen.values():
            if prompt.model and prompt.model not in models:
                with suppress(ModelNotFound):  # raised when that prompt is used, and only then
                    models[prompt.model] = self._catalogue.resolve(prompt.model, run)
        return Pins(
            prompts={
                name: PinnedPrompt(
                    version=prompt.ref.version, model=prompt.model, options=prompt.options, source=source
                )
                for name, (prompt, source) in chosen.items()
            },
            models=models,
            attributes=await self._attributes(),
        )

    async def _choose(self, request: ResolveRequest, run: str) -> dict[str, tuple[Prompt, PromptSource]]:
        """The prompts of the folder, in the versions that the run begins with."""
        asked = self._registry.served.get(request.prompt)
        beside = {prompt.ref.name: prompt for prompt in self._registry.served if _folder(prompt) == _folder(asked)}
        units: dict[Unit, str] = {
            "run": run,
            "user": request.origin.user or run,
            "tenant": request.origin.tenant or run,
        }
        chosen = {name: (prompt, PromptSource()) for name, prompt in beside.items()}
        for name, (ref, source) in (await self._registry.choose(beside, self._label, units)).items():
            try:
                chosen[name] = await self._registry.get(ref), source
            except PromptError:
                del chosen[name]  # not pinned, so the run asks for it if it ever uses it, and is told
                if name == request.prompt:
                    raise
        return chosen

    @activity.defn(name=RENDER.name)
    async def render(self, request: RenderRequest) -> RenderedPrompt:
        """Render the pinned version.

        Raises:
            PromptVersionMissing: neither the files nor the store have the version.
            VariablesInvalid: variables are missing or unknown.
            StoreUnavailable: the store does not answer.
        """
        prompt = await self._registry.get(request.prompt)
        return RenderedPrompt(prompt=request.prompt, messages=render(prompt, request.variables))


def _folder(prompt: Prompt) -> str:
    return prompt.ref.name.rpartition("/")[0]
