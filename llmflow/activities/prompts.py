"""The activities behind pins and `flow.render`."""

from temporalio import activity

from llmflow.providers.catalogue import Catalogue
from llmflow.stores.prompts import Prompts, render
from llmflow.types.contracts import RENDER, RESOLVE
from llmflow.types.prompts import Pin, RenderedPrompt, RenderRequest, ResolveRequest


class PromptActivities:
    """Reads what the worker has in memory: prompts and models.yaml."""

    def __init__(self, prompts: Prompts, catalogue: Catalogue) -> None:
        self._prompts = prompts
        self._catalogue = catalogue

    @activity.defn(name=RESOLVE.name)
    async def resolve(self, request: ResolveRequest) -> Pin:
        """Choose, once per run, the version of a prompt and the models that may answer it.

        Raises:
            PromptNotFound: no prompt has that name.
            ModelNotFound: models.yaml has no such alias or provider.
        """
        prompt = self._prompts.get(request.prompt)
        model = request.model or prompt.model
        candidates = tuple(
            candidate.model_copy(update={"options": prompt.options.over(candidate.options)})
            for candidate in (self._catalogue.resolve(model) if model else ())
        )
        return Pin(prompt=prompt.ref, candidates=candidates)

    @activity.defn(name=RENDER.name)
    async def render(self, request: RenderRequest) -> RenderedPrompt:
        """Render the pinned version.

        Raises:
            PromptVersionMissing: the version is not served here any more.
            VariablesInvalid: variables are missing or unknown.
        """
        prompt = self._prompts.get(request.prompt)
        return RenderedPrompt(prompt=request.prompt, messages=render(prompt, request.variables))
