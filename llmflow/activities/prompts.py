"""The activities behind pins and `flow.render`."""

from collections.abc import Mapping
from contextlib import suppress

from temporalio import activity

from llmflow.activities.attributes import KnownAttributes
from llmflow.activities.forks.histories import Histories
from llmflow.activities.vendors import VendorsByApp
from llmflow.errors import ErrorDetail, ModelNotFound, PromptError, PromptInvalid, PromptVersionMissing
from llmflow.prompts.in_code import prompt_in_code
from llmflow.prompts.prompt import PromptVersion, render
from llmflow.stores.prompts.registry import Registry
from llmflow.stores.prompts.rollouts import Unit
from llmflow.types.carried import Carried
from llmflow.types.contracts import RENDER, RESOLVE
from llmflow.types.forks import Fork
from llmflow.types.models import Candidate
from llmflow.types.prompts import (
    PinnedPrompt,
    Pins,
    Prompt,
    PromptSource,
    RenderedPrompt,
    RenderRequest,
    ResolveRequest,
)
from llmflow.types.refs import app_of, folder_of

_NONE = Pins(prompts={}, models={})


class PromptActivities:
    """Reads prompts and models.yaml. Runs follow the `label` of a prompt that has it, the others follow their files."""

    def __init__(
        self,
        registry: Registry,
        vendors: VendorsByApp,
        label: str,
        by: str,
        attributes: KnownAttributes,
        histories: Histories,
    ) -> None:
        self._registry = registry
        self._vendors = vendors
        self._label = label
        self._by = by
        self._attributes = attributes
        self._histories = histories

    @activity.defn(name=RESOLVE.name)
    async def resolve(self, request: ResolveRequest) -> Pins:
        """Choose, once per run and folder, the versions of prompts and the models that may answer them.

        A forked run keeps those of the run before it, wherever labels and aliases point by now, except where it was
        told to change them.

        Raises:
            PromptNotFound: no prompt has that name.
            PromptInvalid: a prompt in workflow code does not parse, or a file has its name.
            PromptVersionMissing: the label points to a version that the store does not have.
            ModelNotFound: models.yaml has no such alias or provider.
            StoreUnavailable: the store does not answer.
            RunNotFound: the history of the run before is gone.
        """
        run = request.origin.root or activity.info().workflow_id or activity.info().activity_id
        kept = await self._kept(request, request.fork, run) if request.fork else _NONE
        chosen = {**kept.prompts, **await self._choose(request, run, kept.prompts)}
        known = self._vendors.of(request.prompt).models

        def candidates(name: str) -> tuple[Candidate, ...]:
            return kept.models.get(name) or known.resolve(name, run)

        asked = chosen[request.prompt]
        if request.inline:
            chosen[request.prompt] = asked = asked.model_copy(update={"inline": True})
        wanted = request.model or asked.model
        models = {wanted: candidates(wanted)} if wanted else {}
        for prompt in chosen.values():
            if prompt.model and prompt.model not in models:
                with suppress(ModelNotFound):  # raised when that prompt is used, and only then
                    models[prompt.model] = candidates(prompt.model)
        return Pins(prompts=chosen, models=models, attributes=await self._attributes())

    async def _choose(
        self, request: ResolveRequest, run: str, kept: Mapping[str, PinnedPrompt]
    ) -> dict[str, PinnedPrompt]:
        """The other prompts of the folder, in the versions that a run begins with."""
        inline = await self._inline(request.inline) if request.inline else None
        if request.prompt not in kept and inline is None:
            self._registry.served.get(request.prompt)
        beside = {
            prompt.ref.name: prompt
            for prompt in (*self._registry.served, *((inline,) if inline else ()))
            if folder_of(prompt.ref.name) == folder_of(request.prompt) and prompt.ref.name not in kept
        }
        units: dict[Unit, str] = {
            "run": run,
            "user": request.origin.user or run,
            "tenant": request.origin.tenant or run,
        }
        chosen = {name: _pinned(prompt, PromptSource()) for name, prompt in beside.items()}
        for name, (ref, source) in (await self._registry.choose(beside, self._label, units)).items():
            try:
                chosen[name] = _pinned(await self._registry.get(ref), source)
            except PromptError:
                del chosen[name]  # not pinned, so the run asks for it if it ever uses it, and is told
                if name == request.prompt:
                    raise
        return chosen

    async def _inline(self, given: Prompt) -> PromptVersion:
        """The prompt that workflow code has. It is stored now, so that every worker can load its version."""
        if given.name in self._registry.served:
            raise PromptInvalid(
                f"prompt `{given.name}` is in the code, and a file has the same name: rename one of them",
                ErrorDetail(field=given.name),
            )
        prompt = prompt_in_code(given)
        await self._registry.add(prompt, self._by)
        return prompt

    async def _kept(self, request: ResolveRequest, fork: Fork, run: str) -> Pins:
        """What a forked run need not choose: what the run before it had, and what it was told."""
        sources = await self._histories.sources(fork)
        before = await sources[0].pins() if sources else Carried()
        folder, app = folder_of(request.prompt), app_of(request.prompt)
        prompts = {name: pin for name, pin in before.prompts.items() if folder_of(name) == folder}
        for name, word in fork.prompts.items():
            # All that it may use, so that a typing error is told at the first call. A child may be of another App.
            if app_of(name) == app or not fork.children:
                told = await self._told(name, word)
                if folder_of(name) == folder:
                    prompts[name] = told
        models, known = dict(before.models.get(app, {})), self._vendors.of(request.prompt).models
        for name, other in fork.models.items():
            try:
                if name not in models:
                    known.resolve(name, run)
                models[name] = known.resolve(other, run)
            except ModelNotFound:
                if not fork.children:  # a child may be of another App, which has other models
                    raise
        return Pins(prompts=prompts, models=models)

    async def _told(self, name: str, word: str) -> PinnedPrompt:
        try:
            prompt, source = await self._registry.find(name, word)
        except PromptVersionMissing as error:  # it was typed by a person, and no other worker knows better
            raise PromptVersionMissing(error.message, error.detail.model_copy(update={"retry": False})) from None
        return _pinned(prompt, source)

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


def _pinned(prompt: PromptVersion, source: PromptSource) -> PinnedPrompt:
    return PinnedPrompt(version=prompt.ref.version, model=prompt.model, options=prompt.options, source=source)
