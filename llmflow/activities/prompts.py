"""The activities behind pins and `flow.render`."""

from contextlib import suppress

from temporalio import activity

from llmflow.errors import ModelNotFound
from llmflow.providers.catalogue import Catalogue
from llmflow.stores.prompts import Prompt, Prompts, render
from llmflow.types.contracts import RENDER, RESOLVE
from llmflow.types.prompts import PinnedPrompt, Pins, RenderedPrompt, RenderRequest, ResolveRequest


class PromptActivities:
    """Reads what the worker has in memory: prompts and models.yaml."""

    def __init__(self, prompts: Prompts, catalogue: Catalogue) -> None:
        self._prompts = prompts
        self._catalogue = catalogue

    @activity.defn(name=RESOLVE.name)
    async def resolve(self, request: ResolveRequest) -> Pins:
        """Choose, once per run and folder, the versions of prompts and the models that may answer them.

        Raises:
            PromptNotFound: no prompt has that name.
            ModelNotFound: models.yaml has no such alias or provider.
        """
        asked = self._prompts.get(request.prompt)
        beside = [prompt for prompt in self._prompts if _folder(prompt) == _folder(asked)]
        wanted = request.model or asked.model
        models = {wanted: self._catalogue.resolve(wanted)} if wanted else {}
        for prompt in beside:
            if prompt.model and prompt.model not in models:
                with suppress(ModelNotFound):  # raised when that prompt is used, and only then
                    models[prompt.model] = self._catalogue.resolve(prompt.model)
        return Pins(
            prompts={
                prompt.ref.name: PinnedPrompt(version=prompt.ref.version, model=prompt.model, options=prompt.options)
                for prompt in beside
            },
            models=models,
        )

    @activity.defn(name=RENDER.name)
    async def render(self, request: RenderRequest) -> RenderedPrompt:
        """Render the pinned version.

        Raises:
            PromptVersionMissing: the version is not served here any more.
            VariablesInvalid: variables are missing or unknown.
        """
        prompt = self._prompts.get(request.prompt)
        return RenderedPrompt(prompt=request.prompt, messages=render(prompt, request.variables))


def _folder(prompt: Prompt) -> str:
    return prompt.ref.name.rpartition("/")[0]
