"""What llmflow knows of one workflow instance."""

import asyncio
import inspect
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from temporalio import workflow

from llmflow.errors import ConfigInvalid
from llmflow.flow._approvals import Approvals
from llmflow.flow._carry import carried_names, carried_steps, fanned_out, taken_over
from llmflow.flow._machines import MachineRecord
from llmflow.flow._visibility import attributes, details, show, waiting, write, write_waiting
from llmflow.types.approvals import WAITING, Reach, WaitingList
from llmflow.types.attributes import SearchAttributes
from llmflow.types.batches import BATCH, Batch
from llmflow.types.carried import HEADER, Carried
from llmflow.types.completions import CompletionResult
from llmflow.types.contracts import SPENT, STEPS, USAGE
from llmflow.types.forks import FORK, PLACE, Fork, Hop
from llmflow.types.keys import KEY, SharedKey
from llmflow.types.models import Candidate
from llmflow.types.origins import Origin
from llmflow.types.prompts import PinnedPrompt, Pins, PromptRef, PromptSource
from llmflow.types.steps import Compensation, StepRecord, StepReport, Wait
from llmflow.types.usage import Totals, UsageReport

# A context variable's value lives in the workflow's own tasks, so this is not shared between runs, and a step that is
# open in one parallel branch is not seen by the others.
path: ContextVar[tuple[str, ...]] = ContextVar("llmflow_path", default=())
# Of what a saga does or undoes here; an activity outside of sagas has a key of its own.
key: ContextVar[SharedKey | None] = ContextVar("llmflow_key", default=None)
# While a child is started that shall work on it.
batch: ContextVar[Batch | None] = ContextVar("llmflow_batch", default=None)

# One workflow task answers with one gRPC message of at most 4 MB. What is scheduled in it stays well below.
MAX_TASK_BYTES = 3_000_000
MAX_PENDING = 1_500
"""Calls of one run that are under way. With 2,000 activities Temporal gets it stuck; the rest is for the user's own."""

AnyTask = asyncio.Task[Any]  # Any: a branch of the user's own code, whatever it returns


def this_task() -> AnyTask:
    """The branch that is running."""
    return cast(AnyTask, asyncio.current_task())  # workflow code always runs in one


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
        self.places = asyncio.Semaphore(MAX_PENDING)
        """Each call that is under way holds one; those that wait get theirs in their order."""
        self.signature = inspect.Signature()
        """Of the workflow's `run`."""
        self.batch: Batch | None = None
        """What this run works on instead of its workflow."""
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
        self.approvals = Approvals(self.take_over, self.asked)
        """Questions to people."""
        self.reach: Reach | None = None
        """How people learn of them; `None` before the first one."""
        self._waiting = WaitingList()
        """What the memo of the run says of them."""
        self.busy: list[AnyTask] = []
        """Tasks that have calls, children with batches, or sagas open, once for each: the run ends after them."""
        self.compensations: dict[str, Compensation] = {}
        """Of sagas, by key."""
        self.undone = False
        """Whether a bug has made a saga undo what it did. Repaired code would not, and could never replay this run."""
        self.machines = MachineRecord()
        """State machines."""
        self._usage = UsageReport()
        self._task = -1
        self._task_bytes = 0
        self._wave: asyncio.Task[None] | None = None

    def install(self) -> None:
        """Answer the queries of every workflow. Called by the interceptor before any code of the user runs."""
        workflow.set_query_handler(USAGE.name, self.usage_report)
        workflow.set_query_handler(STEPS.name, self.step_report)
        workflow.set_signal_handler(SPENT.name, self.count)
        self.approvals.install()

    @contextmanager
    def working(self) -> Generator[None]:
        """While something is open that the run must not end before."""
        task = this_task()
        self.busy.append(task)
        try:
            yield
        finally:
            self.busy.remove(task)

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
            self.approvals.restore(self._carried.approvals)
            self.reach = self._carried.reach
            self._waiting = workflow.memo_value(WAITING, None, type_hint=WaitingList) or self._waiting
            self.machines.take_over(self._carried.machines, _task())
        return self._carried

    def for_child(self, workflow_type: str) -> dict[str, object]:
        """What a child of that type is told besides its input, by the name of the header."""
        self.machines.work()
        origin, fork, part = self.origin, self.take_over().fork, batch.get()
        if origin.root is None:
            origin = origin.model_copy(update={"root": workflow.info().workflow_id})
        place = "/".join((*path.get(), f"{workflow_type}#{self._count(f'child {workflow_type}')}"))
        if fork:
            hop = Hop(place=place, batch=part.span if part else "")
            fork = fork.model_copy(update={"children": (*fork.children, hop)})
        carried = Carried(
            origin=origin, prompts=self._prompts, models=self._models, attributes=self._attributes, fork=fork
        )
        return {HEADER: carried, PLACE: place, **({BATCH: part} if part else {})}

    def for_parent(self) -> Carried:
        """What a child that works on a batch hands back: its totals, and the pins that it has."""
        return Carried(prompts=self._prompts, models=self._models, attributes=self._attributes, usage=self._usage)

    def learn(self, child: Carried) -> None:
        """Count what a child has spent, and use its pins, where this run has none of its own yet."""
        self._attributes = self._attributes or child.attributes
        self._prompts = {**child.prompts, **self._prompts}
        self._models = {
            app: {**child.models.get(app, {}), **self._models.get(app, {})} for app in {**child.models, **self._models}
        }
        self.count(child.usage or UsageReport())

    def for_next(self) -> Carried:
        """What is handed on to the run that continues this one."""
        return Carried(
            origin=self.origin,
            prompts=self._prompts,
            models=self._models,
            attributes=self._attributes,
            usage=self._usage,
            steps=carried_steps(self.steps.values(), path.get(), workflow.now()),
            names=carried_names(self._names, self.steps),
            approvals=self.approvals.carry(),
            reach=self.reach,
            machines=self.machines.hand_on(),
        )

    def for_activity(self, activity_id: str | None) -> dict[str, object]:
        """What every activity of this run is told besides its input, by the name of the header."""
        told: dict[str, object] = {}
        if fork := self.take_over().fork:
            told[FORK] = Fork(  # the rest is for people, or for prompts
                workflow_id=fork.workflow_id, run_id=fork.run_id, before=fork.before, children=fork.children
            )
        return {**told, **self.for_effect(activity_id)}

    def for_effect(self, activity_id: str | None) -> dict[str, object]:
        """What every activity, a local one too, is told of the saga that it belongs to."""
        self.machines.work()
        shared = key.get()
        return {KEY: shared.of(activity_id)} if shared else {}

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
            transitions=self.machines.transitions,
            moves=self.machines.moves,
        )

    def reached(self, reach: Reach) -> None:
        """Keep how people learn of questions, to the end of the run."""
        self.reach = reach
        self._attributes = self._attributes or reach.attributes

    def end(self) -> None:
        """Nobody is asked anything any more."""
        self.approvals.withdraw()
        self.publish()

    def asked(self) -> None:
        """Show what people are asked, wherever they look.

        At every change: Temporal may replay two activations as one, and what was gathered would not be the same again.
        """
        self.show()
        now = waiting(self.approvals.open())
        if now != self._waiting:
            write_waiting(now, self._attributes.approval if self._attributes else None)
            self._waiting = now

    def publish(self) -> None:
        """Write the search attributes that have changed. At the end of a phase and not of a call: it is an event."""
        if self._attributes is None or self.batch:  # what a batch costs is in the totals of its parent
            return
        found = attributes(self._attributes, self.origin, self._usage)
        if found != self._published:
            self._published = found
            write(found)

    def show(self) -> None:
        """Bring the page of the run in the Web UI up to date."""
        self._details = show(details(self.approvals.open(), self.step_report(), self._usage), self._details)

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
        one = Totals().plus(result.usage, result.cost)
        if result.taken:
            self.count(UsageReport(taken=one, taken_by_prompt={str(prompt): one}))
        else:
            self.count(UsageReport(total=one, by_model={result.model: one}, by_prompt={str(prompt): one}))

    def count(self, usage: UsageReport) -> None:
        """Count what was spent here or in a child, in the run and in the steps that are open here."""
        self._usage += usage
        here = path.get()
        for depth in range(1, len(here) + 1):
            name = "/".join(here[:depth])
            if step := self.steps.get(name) or self.steps.get(fanned_out(name)):
                self.steps[step.path] = step.model_copy(update={"usage": step.usage + usage.total})
        self.show()

    def numbered(self, name: str) -> str:
        """The address of the next activity of that name here, such as `write/complete#1`."""
        return "/".join((*path.get(), f"{name}#{self._count(name)}"))

    def enter(self, name: str, at: datetime, total: int | None) -> tuple[str, ...]:
        """Begin a step: its path, `name` the first time here and `name#2` the second."""
        self.machines.work()
        count = self._count(f"step {name}")
        here = (*path.get(), name if count == 1 else f"{name}#{count}")
        record = StepRecord(path="/".join(here), status="running", started_at=at, total=total)
        self.steps[record.path] = record
        return here

    def _count(self, name: str) -> int:
        key = "/".join((*path.get(), name))
        self._names[key] = self._names.pop(key, 0) + 1  # at the end again: the first ones are the oldest
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
