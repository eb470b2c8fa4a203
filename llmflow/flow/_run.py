"""What llmflow knows of one workflow instance."""

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from temporalio import workflow

from llmflow.errors import ConfigInvalid
from llmflow.flow._approvals import Approvals
from llmflow.flow._carry import taken_over
from llmflow.flow._visibility import attributes, details, show, write
from llmflow.types.attributes import SearchAttributes
from llmflow.types.carried import Carried
from llmflow.types.completions import CompletionResult
from llmflow.types.contracts import STEPS, USAGE
from llmflow.types.forks import FORK, Hop
from llmflow.types.keys import KEY
from llmflow.types.models import Candidate
from llmflow.types.origins import Origin
from llmflow.types.prompts import PinnedPrompt, Pins, PromptRef, PromptSource
from llmflow.types.steps import Compensation, StepRecord, StepReport, Wait
from llmflow.types.usage import Totals, UsageReport

# A context variable's value lives in the workflow's own tasks, so this is not shared between runs, and a step that is
# open in one parallel branch is not seen by the others.
path: ContextVar[tuple[str, ...]] = ContextVar("llmflow_path", default=())
# The idempotency key of what a saga does or undoes here; an activity outside of sagas has one of its own.
key: ContextVar[str | None] = ContextVar("llmflow_key", default=None)

# One workflow task answers with one gRPC message of at most 4 MB. What is scheduled in it stays well below.
MAX_TASK_BYTES = 3_000_000


@dataclass(frozen=True)
class Pin:
    """What one call uses."""

    prompt: PromptRef
    source: PromptSource
    candidates: tuple[Candidate, ...]
    """In the order in which they are tried. Empty if neither the call nor the prompt names a model."""


class Run:
    """Pins, totals, steps and names of one run. Found through a query handler, never through a module global."""

    def __init__(self) -> None:
        self.resolving = asyncio.Lock()
        """Held while pins are asked for."""
        self.waits: list[Wait] = []
        """Calls that llmflow itself refused, and that are made again later."""
        self._carried: Carried | None = None
        self._prompts: dict[str, PinnedPrompt] = {}
        self._models: dict[str, dict[str, tuple[Candidate, ...]]] = {}
        self._attributes: SearchAttributes | None = None
        self._published: Mapping[str, object] = {}
        self._details = ""
        self.steps: dict[str, StepRecord] = {}
        self._names: dict[str, int] = {}
        self.approvals = Approvals()
        """Questions to people."""
        self.compensations: dict[str, Compensation] = {}
        """Of sagas, by key."""
        self._children: dict[str, int] = {}
        self._usage = UsageReport()
        self._task = -1
        self._task_bytes = 0
        self._wave: asyncio.Task[None] | None = None

    def install(self) -> None:
        """Answer the queries of every workflow. Called by the interceptor before any code of the user runs."""
        workflow.set_query_handler(USAGE.name, self.usage_report)
        workflow.set_query_handler(STEPS.name, self.step_report)
        self.approvals.install()

    @property
    def origin(self) -> Origin:
        """Who the run is for.

        Raises:
            InputInvalid: see `take_over`.
        """
        return self.take_over().origin

    def take_over(self) -> Carried:
        """What was handed on to this run, or said at its start.

        Asked for later than in `__init__`, where Temporal does not know the run yet; and before the user's code,
        because what a run schedules must not depend on who asks it something meanwhile.

        Raises:
            InputInvalid: a memo of ours is of another type.
        """
        if self._carried is None:
            self._carried = taken_over()
            self._prompts, self._models = self._carried.prompts, self._carried.models
            self._attributes = self._carried.attributes
            self._usage = self._carried.usage or self._usage
            self._names = dict(self._carried.names)
            self.steps = {one.path: one for one in self._carried.steps}
        return self._carried

    def for_child(self, workflow_type: str) -> Carried:
        """What is handed on to a child of that type."""
        origin, fork = self.origin, self.take_over().fork
        if origin.root is None:
            origin = origin.model_copy(update={"root": workflow.info().workflow_id})
        if fork:
            self._children[workflow_type] = self._children.get(workflow_type, 0) + 1
            hop = Hop(workflow=workflow_type, n=self._children[workflow_type])
            fork = fork.model_copy(update={"children": (*fork.children, hop)})
        return Carried(
            origin=origin, prompts=self._prompts, models=self._models, attributes=self._attributes, fork=fork
        )

    def for_next(self) -> Carried:
        """What is handed on to the run that continues this one."""
        return Carried(
            origin=self.origin,
            prompts=self._prompts,
            models=self._models,
            attributes=self._attributes,
            usage=self._usage,
            steps=tuple(self.steps.values()),
            names=self._names,
            approvals=self.approvals.report(),
        )

    def for_activity(self) -> dict[str, object]:
        """What every activity of this run is told besides its input, by the name of the header."""
        told: dict[str, object] = {}
        if fork := self.take_over().fork:
            told[FORK] = fork
        if shared := key.get():
            told[KEY] = shared
        return told

    def usage_report(self) -> UsageReport:
        """Totals so far."""
        self.take_over()
        return self._usage

    def step_report(self) -> StepReport:
        """Steps so far, in the order in which they began, and what is waited for."""
        return StepReport(
            steps=tuple(self.steps.values()),
            waits=tuple(self.waits),
            compensations=tuple(self.compensations.values()),
        )

    def publish(self) -> None:
        """Write the search attributes that have changed. At the end of a phase and not of a call: it is an event."""
        if self._attributes is None:
            return
        found = attributes(self._attributes, self.origin, self._usage)
        if found != self._published:
            self._published = found
            write(found)

    def show(self) -> None:
        """Bring the page of the run in the Web UI up to date."""
        self._details = show(details(self.step_report(), self._usage), self._details)

    def keep(self, prompt: str, pins: Pins) -> None:
        """Pin what is not pinned yet, from the answer for `prompt`. What is stays as it is, to the end of the run."""
        self._attributes = self._attributes or pins.attributes
        self._prompts = {**pins.prompts, **self._prompts}
        app = _app(prompt)
        self._models = {**self._models, app: {**pins.models, **self._models.get(app, {})}}

    def alias(self, prompt: str, model: str | None) -> str | None:
        """The name of the model for a call: the call's own, or the one that the pinned prompt names."""
        found = self._prompts.get(prompt)
        return model or (found.model if found else None)

    def pinned(self, prompt: str, model: str | None) -> Pin | None:
        """What this run uses for a prompt; `None` if it has not asked yet."""
        found, alias = self._prompts.get(prompt), self.alias(prompt, model)
        models = self._models.get(_app(prompt), {})
        if found is None or (alias is not None and alias not in models):
            return None
        candidates = tuple(
            candidate.model_copy(update={"options": found.options.over(candidate.options)})
            for candidate in (models[alias] if alias else ())
        )
        return Pin(prompt=PromptRef(name=prompt, version=found.version), source=found.source, candidates=candidates)

    def spent(self, prompt: PromptRef, result: CompletionResult) -> None:
        """Count one answer: as paid, unless a forked run took it over."""
        before = self._usage
        if result.taken:
            self._usage = before.model_copy(update={"taken": before.taken.plus(result.usage, result.cost)})
        else:
            self._usage = UsageReport(
                total=before.total.plus(result.usage, result.cost),
                by_model=_plus(before.by_model, result.model, result),
                by_prompt=_plus(before.by_prompt, str(prompt), result),
                taken=before.taken,
            )
            self._spent_in_steps(result)
        self.show()

    def _spent_in_steps(self, result: CompletionResult) -> None:
        here = path.get()
        for depth in range(1, len(here) + 1):
            if step := self.steps.get("/".join(here[:depth])):
                usage = step.usage.plus(result.usage, result.cost)
                self.steps[step.path] = step.model_copy(update={"usage": usage})

    def numbered(self, name: str) -> str:
        """The address of the next activity of that name here, such as `write/complete#1`."""
        return "/".join((*path.get(), f"{name}#{self._count(name)}"))

    def enter(self, name: str, at: datetime, total: int | None) -> tuple[str, ...]:
        """Begin a step: its path, `name` the first time here and `name#2` the second."""
        count = self._count(f"step {name}")
        here = (*path.get(), name if count == 1 else f"{name}#{count}")
        record = StepRecord(path="/".join(here), status="running", started_at=at, total=total)
        self.steps[record.path] = record
        return here

    def _count(self, name: str) -> int:
        key = "/".join((*path.get(), name))
        self._names[key] = self._names.get(key, 0) + 1
        return self._names[key]

    async def admit_child(self, size: int) -> None:
        """`admit` for the start of a child, with what is handed on to it."""
        # Children of runs from before this was so went out all at once; where they fit, no marker is needed.
        if not self._fits(size) and workflow.patched("llmflow.children-in-waves"):
            await self.admit(size)
        else:
            self._task_bytes += size

    async def admit(self, size: int) -> None:
        """Wait until the current workflow task has room for `size` more bytes of activity input.

        What does not fit waits for the next task: twenty inputs of 250 KB go out in two waves, where one would get
        the run stuck. A timer brings that task, because what was scheduled now may be cancelled before it is sent.
        """
        while not self._fits(size):
            if self._wave is None or self._wave.done():
                self._wave = asyncio.create_task(workflow.sleep(timedelta(milliseconds=1)))
            await asyncio.shield(self._wave)
        self._task_bytes += size

    def _fits(self, size: int) -> bool:
        if self._task != _task():
            self._task, self._task_bytes = _task(), 0
        return self._task_bytes == 0 or self._task_bytes + size <= MAX_TASK_BYTES


def _app(prompt: str) -> str:
    return prompt.partition("/")[0]


def _plus(totals: dict[str, Totals], key: str, result: CompletionResult) -> dict[str, Totals]:
    return {**totals, key: totals.get(key, Totals()).plus(result.usage, result.cost)}


def _task() -> int:
    """Names the current workflow task: history grows between two of them, and is the same again on replay."""
    return workflow.info().get_current_history_length()


def current() -> Run:
    """The run that the calling workflow code belongs to."""
    handler = cast(object, workflow.get_query_handler(USAGE.name))
    run: object = getattr(handler, "__self__", None)
    if not isinstance(run, Run):
        raise ConfigInvalid("this worker has no LLMFlowPlugin: connect its client with plugins=[LLMFlowPlugin(app)]")
    return run
