"""Activities that resolve pins and render prompts."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from temporalio import activity

from llmflow.activities.attributes import KnownAttributes
from llmflow.activities.fleet import Fleet
from llmflow.activities.forks.histories import Histories
from llmflow.activities.vendors import VendorsByApp
from llmflow.errors import ErrorDetail, ModelNotFound, PromptError, PromptInvalid
from llmflow.prompts.in_code import prompt_in_code
from llmflow.prompts.prompt import Prompts, PromptVersion, render
from llmflow.stores.prompts.changes import FILE
from llmflow.stores.prompts.registry import Choice, Registry
from llmflow.types.base import changed
from llmflow.types.carried import Carried
from llmflow.types.contracts import RENDER, RESOLVE
from llmflow.types.forks import Fork
from llmflow.types.models import Candidate
from llmflow.types.prompts import (
    PinnedByItem,
    PinnedPrompt,
    PinnedVersion,
    Pins,
    Prompt,
    PromptSource,
    RenderedPrompt,
    RenderRequest,
    ResolveRequest,
)
from llmflow.types.refs import PromptRef, app_of, folder_of
from llmflow.types.rollouts import Unit

_NONE = Pins(prompts={}, models={})


class PromptActivities:
    """Resolves prompts and models. A prompt with the `label` is resolved by it, others by their files."""

    def __init__(
        self,
        registry: Registry,
        vendors: VendorsByApp,
        label: str,
        by: str,
        attributes: KnownAttributes,
        histories: Histories,
        fleet: Fleet,
        read_files: Callable[[], Prompts],
    ) -> None:
        self._registry = registry
        self._vendors = vendors
        self._label = label
        self._by = by
        self._attributes = attributes
        self._histories = histories
        self._fleet = fleet
        self._read_files = read_files

    @activity.defn(name=RESOLVE.name)
    async def resolve(self, request: ResolveRequest) -> Pins:
        """Choose prompt versions and models, once per run and folder.

        A forked run keeps the original run's pins, even if labels and aliases have moved, except those that it
        replaces.

        Raises:
            PromptNotFound: no prompt has that name.
            PromptInvalid: an inline prompt does not parse, a file has its name, or it begins with no App's name.
            PromptVersionMissing: the label points to a version that the store does not have.
            ModelNotFound: models.yaml has no such alias or provider.
            StoreUnavailable: the store does not answer.
            RunNotFound: the history of the original run was deleted.
            ConfigInvalid: a fork asks for a file, and the folder of the prompts is no longer there.
        """
        run = request.origin.root or activity.info().workflow_id or activity.info().activity_id
        kept = await self._kept(request, request.fork, run) if request.fork else _NONE
        with self._fleet.may_have():
            return await self._pins(request, run, kept)

    async def _pins(self, request: ResolveRequest, run: str, kept: Pins) -> Pins:
        chosen = {**kept.prompts, **await self._choose(request, run, kept.prompts)}
        known = self._vendors.of(request.prompt).models

        def candidates(name: str) -> tuple[Candidate, ...]:
            return kept.models.get(name) or known.resolve(name, run)

        asked = chosen[request.prompt]
        if request.inline:
            chosen[request.prompt] = asked = changed(asked, inline=True)
        wanted = request.model or asked.model
        models = {wanted: candidates(wanted)} if wanted else {}
        for name in dict.fromkeys(model for prompt in chosen.values() for model in prompt.models):
            if name not in models:
                with suppress(ModelNotFound):  # raised once that prompt is used
                    models[name] = candidates(name)
        return Pins(prompts=chosen, models=models, attributes=await self._attributes())

    async def _choose(
        self, request: ResolveRequest, run: str, kept: Mapping[str, PinnedPrompt]
    ) -> dict[str, PinnedPrompt]:
        """Choose versions of the folder's prompts that are not kept."""
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
            "item": run,
        }
        chosen = {name: _pinned(prompt, PromptSource()) for name, prompt in beside.items()}
        for name, choice in (await self._registry.choose(beside, self._label, units)).items():
            try:
                chosen[name] = await self._chosen(name, choice)
            except PromptError:
                del chosen[name]  # not pinned: a run that uses it resolves it then, and gets the error
                if name == request.prompt:
                    raise
        return chosen

    async def _chosen(self, name: str, choice: Choice) -> PinnedPrompt:
        async def version(version: str, source: PromptSource) -> PinnedVersion:
            return _version(await self._registry.get(PromptRef(name=name, version=version)), source)

        pinned, rollout = PinnedPrompt(**dict(await version(choice.version, choice.source))), choice.rollout
        if rollout is None or rollout.unit != "item":
            return pinned
        versions = {arm.arm: await version(arm.version, changed(choice.source, arm=arm.arm)) for arm in rollout.arms}
        return changed(pinned, by_item=PinnedByItem(rollout=rollout, versions=versions))

    async def _inline(self, given: Prompt) -> PromptVersion:
        """Parse an inline prompt and store it, so that every worker can load its version."""
        if app_of(given.name) not in self._vendors.apps:
            known = " or ".join(f"`{app}/...`" for app in self._vendors.apps)
            raise PromptInvalid(
                f"prompt `{given.name}` is inline in the code, and its name begins with no App of this worker: call it "
                f"{known}",
                ErrorDetail(field=given.name),
            )
        if given.name in self._registry.served:
            raise PromptInvalid(
                f"prompt `{given.name}` is inline in the code and also a file: rename one of them",
                ErrorDetail(field=given.name),
            )
        prompt = prompt_in_code(given)
        await self._registry.add(prompt, self._by)
        return prompt

    async def _kept(self, request: ResolveRequest, fork: Fork, run: str) -> Pins:
        """Return the pins of a forked run: those of the original run, and those that the fork replaces."""
        sources = await self._histories.sources(fork)
        before = await sources[0].pins() if sources else Carried()
        folder, app = folder_of(request.prompt), app_of(request.prompt)
        prompts = {name: pin for name, pin in before.prompts.items() if folder_of(name) == folder}
        for name, word in fork.prompts.items():
            # All replaced ones, so that a typo fails at the first call. A child may be of another App.
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
        """Return the version that a person means: no other worker knows better."""
        if word != FILE:
            return _pinned(*await self._registry.find(name, word))
        prompt = (await asyncio.to_thread(self._read_files)).get(name)  # as it is now: a person has just edited it
        await self._registry.add(prompt, self._by)
        return _pinned(prompt, PromptSource())

    @activity.defn(name=RENDER.name)
    async def render(self, request: RenderRequest) -> RenderedPrompt:
        """Render the pinned version.

        Raises:
            PromptVersionMissing: neither the files nor the store have the version.
            VariablesInvalid: variables are missing or unknown.
            StoreUnavailable: the store does not answer.
        """
        with self._fleet.may_have():
            prompt = await self._registry.get(request.prompt)
        return RenderedPrompt(prompt=request.prompt, messages=render(prompt, request.variables))


def _pinned(prompt: PromptVersion, source: PromptSource) -> PinnedPrompt:
    return PinnedPrompt(**dict(_version(prompt, source)))


def _version(prompt: PromptVersion, source: PromptSource) -> PinnedVersion:
    return PinnedVersion(version=prompt.ref.version, model=prompt.model, options=prompt.options, source=source)
