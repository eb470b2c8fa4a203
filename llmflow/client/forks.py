"""Forks: new runs that reuse the recorded results of another run."""

import hashlib
import secrets
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes
from temporalio.client import Client as TemporalClient
from temporalio.client import Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.common import Priority, WorkflowIDReusePolicy
from temporalio.converter import PayloadConverter
from temporalio.exceptions import WorkflowAlreadyStartedError

from llmflow.client.errors import readable_errors
from llmflow.client.pins import check_names, pinned
from llmflow.errors import InputInvalid, RunExists, StepNotFound, did_you_mean
from llmflow.history.events import events_of, initiated, scheduled, start_of
from llmflow.history.executions import describe
from llmflow.history.payloads import Payloads
from llmflow.plugin.sizes import require_rooms
from llmflow.types import wire
from llmflow.types.addresses import is_within, names_of, prefixes, unbranched
from llmflow.types.approvals import ApprovalReport
from llmflow.types.base import changed
from llmflow.types.carried import Carried
from llmflow.types.contracts import CARRIED, DECIDED, FORKED, PLACE, TAGS, WAITING
from llmflow.types.forks import Fork

SAME = object()  # differs from None, which may be a workflow's input

_SHOWN = 20  # names of steps, in an error


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Changes of a forked run; see `Run.fork`."""

    input: object = SAME
    prompts: Mapping[str, str] = field(default_factory=dict[str, str])
    models: Mapping[str, str] = field(default_factory=dict[str, str])
    id: str | None = None
    task_queue: str | None = None
    tags: Sequence[str] | None = None
    repeat_effects: bool = False
    until: str = ""


async def start_fork(
    temporal: TemporalClient, id: str, run_id: str | None, step: str, changes: Changes, result_type: Any
) -> WorkflowHandle[Any, Any]:  # Any: the workflow's own types
    """Start a fork of a run, which reuses its results up to a step; see `Run.fork`.

    Raises:
        InputInvalid: the run is a batch of a fan-out.
    """
    started, fork, _ = await fork_of(temporal, id, run_id, step, changes)
    return await _start(temporal, started, fork, changes, result_type)


async def fork_of(
    temporal: TemporalClient, id: str, run_id: str | None, step: str, changes: Changes
) -> tuple[WorkflowExecutionStartedEventAttributes, Fork, Mapping[str, str]]:
    """Return the start of a run, the fork of it that the changes make, and the prompt versions of the run.

    Nothing is started. The versions are only read if the changes name prompts.

    Raises:
        InputInvalid: the run is a batch of a fan-out.
        PromptNotFound: a changed prompt is none of the run's.
        StepNotFound: the run has no such step or call.
    """
    async with readable_errors(id):
        run_id = run_id or (await describe(temporal, temporal.get_workflow_handle(id))).run_id
        events = events_of(temporal, id, run_id)
        started = await start_of(events)
        if started.workflow_type.name == wire.BATCH:
            whole = started.parent_workflow_execution.workflow_id
            raise InputInvalid(f"run {id!r} is a fan-out batch of run {whole!r}: fork that one")
        before, step = await _first_event_of(step, events, Payloads(temporal, id))
        until = changes.until and await _end_of(temporal, id, run_id, before, changes.until)
        known = await pinned(temporal, id, run_id) if changes.prompts else {}
        check_names(id, changes.prompts, known)
    converter = temporal.data_converter.payload_converter
    fork = Fork(
        workflow_id=id,
        run_id=run_id,
        before=before,
        step=step,
        prompts=dict(changes.prompts),
        models=dict(changes.models),
        input="" if changes.input is SAME else _digest(converter, changes.input),
        repeat_effects=changes.repeat_effects,
        until=until,
    )
    return started, fork, known


def _digest(converter: PayloadConverter, value: object) -> str:
    [payload] = converter.to_payloads([value])
    return hashlib.sha256(payload.data).hexdigest()[:16]


async def _end_of(temporal: TemporalClient, id: str, run_id: str, before: int, until: str) -> str:
    """Return the address of the step before which a fork ends.

    Raises:
        StepNotFound: the run has no such step or call.
        InputInvalid: it begins before the step of the fork, whose calls from before are not made again.
    """
    event, address = await _first_event_of(until, events_of(temporal, id, run_id), Payloads(temporal, id))
    if event <= before:
        raise InputInvalid(
            f"the fork cannot end before `{until}`, because that begins before its own step: name a later one"
        )
    return address


async def _first_event_of(step: str, events: AsyncIterator[HistoryEvent], payloads: Payloads) -> tuple[int, str]:
    """Find the first event of a step or a call, and its address: that of a child may be given by its type or id.

    Raises:
        StepNotFound: the run has no such step or call; the message names those it has.
    """
    known: dict[str, None] = {}
    async for event in events:
        address, *other = await _names(event, payloads.client)
        if is_within(address, step):
            return event.event_id, step
        if any(is_within(one, step) for one in other):
            return event.event_id, address
        known.update(dict.fromkeys(_parts(address)))
    outermost = [name for name in known if len(names_of(name)) == 1 and unbranched(name) == name]
    shown = ", ".join(outermost[:_SHOWN]) + (f" and {len(outermost) - _SHOWN} more" if outermost[_SHOWN:] else "")
    raise StepNotFound(
        f"run {payloads.workflow_id!r} has no step or call `{step}`{did_you_mean(step, known)}. It has: "
        f"{shown or 'none yet'}. A step without a call or a child leaves nothing in the history: name the call "
        "after it"
    )


async def _names(event: HistoryEvent, client: TemporalClient) -> tuple[str, ...]:
    """Return the names of what an event starts: an activity's id, or a child's address, type and id."""
    if call := scheduled(event):
        return (call.activity_id,)
    if child := initiated(event):
        names = (child.workflow_type.name, child.workflow_id)
        place = await Payloads(client, child.workflow_id).header(PLACE, child.header.fields)
        return names if place is None else (place, *names)
    return ("",)


def _parts(address: str) -> Iterator[str]:
    """Return an address with its enclosing steps: `a`, `a[3]`, `a[3]/complete#1`."""
    for whole in prefixes(names_of(address)):
        yield from dict.fromkeys((unbranched(whole), whole))


async def _start(
    temporal: TemporalClient,
    started: WorkflowExecutionStartedEventAttributes,
    fork: Fork,
    changes: Changes,
    result_type: Any,
) -> WorkflowHandle[Any, Any]:  # Any: the workflow's own types
    payloads = Payloads(temporal, fork.workflow_id)
    async with readable_errors(fork.workflow_id):
        memo: dict[str, object] = {
            name: await payloads.raw(value)
            for name, value in started.memo.fields.items()
            if name not in (WAITING.name, DECIDED.name)
        }
        if changes.tags is not None:
            memo[TAGS.name] = list(changes.tags)
        if carried := await payloads.header(CARRIED, started.header.fields):
            temporal = _with_header(temporal, _adapted(carried, fork, changes))
        same = [await payloads.raw(one) for one in started.input.payloads]
    id = changes.id or f"{fork.workflow_id}-fork-{secrets.token_hex(3)}"
    timeout, priority = started.workflow_execution_timeout.ToTimedelta(), started.priority
    if changes.input is not SAME:
        await require_rooms(temporal.data_converter, [changes.input])
    try:
        async with readable_errors(id):
            return await temporal.start_workflow(
                started.workflow_type.name,
                args=same if changes.input is SAME else [changes.input],
                id=id,
                task_queue=changes.task_queue or started.task_queue.name,
                result_type=result_type,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                execution_timeout=timeout or None,
                memo={**memo, FORKED.name: fork},
                priority=Priority(
                    priority_key=priority.priority_key or None,
                    fairness_key=priority.fairness_key or None,
                    fairness_weight=priority.fairness_weight or None,
                ),
                static_summary=f"fork of {fork.workflow_id} from {fork.step}",
            )
    except WorkflowAlreadyStartedError as error:
        return await _existing(temporal, id, error.run_id, fork, result_type)


async def _existing(
    temporal: TemporalClient, id: str, run_id: str | None, fork: Fork, result_type: Any
) -> WorkflowHandle[Any, Any]:  # Any: the workflow's own types
    """Return the existing run of the id if it is the same fork, so that a repeated request starts one run."""
    async with readable_errors(id):
        found = await describe(temporal, temporal.get_workflow_handle(id, run_id=run_id))
        memo: object = await found.memo_value(FORKED.name, None, type_hint=FORKED.value)
    if memo != fork:
        raise RunExists(
            f"run {id!r} exists already, but is not this fork of {fork.workflow_id!r} from `{fork.step}`: choose "
            "another id"
        )
    return temporal.get_workflow_handle(id, result_type=result_type)


def _adapted(carried: Carried, fork: Fork, changes: Changes) -> Carried:
    """Adapt the carried state of a continue-as-new run or a child for a fork that starts there.

    Usage starts at zero. Closed questions are kept, so that further rounds have the same names; open ones are asked
    again.
    """
    origin, budget = carried.origin, carried.origin.budget
    tags = origin.tags if changes.tags is None else tuple(changes.tags)
    if budget:
        budget = changed(budget, id=str(uuid.uuid4()))
    return changed(
        carried,
        origin=changed(origin, root=None, tags=tags, budget=budget),
        prompts={name: pin for name, pin in carried.prompts.items() if name not in fork.prompts},
        models={
            app: {name: models for name, models in known.items() if name not in fork.models}
            for app, known in carried.models.items()
        },
        usage=None,
        approvals=ApprovalReport(questions=tuple(one for one in carried.approvals.questions if one.status != "open")),
        fork=fork,
    )


def _with_header(temporal: TemporalClient, carried: Carried) -> TemporalClient:
    """Make a client that adds carried state to its starts. Only an interceptor can set a header."""
    config = temporal.config(active_config=True)
    config["interceptors"] = [
        *config["interceptors"],
        _CarriedHeader(temporal.data_converter.payload_converter, carried),
    ]
    config["plugins"] = []  # already applied to the config
    return TemporalClient(**config)


class _CarriedHeader(Interceptor):
    def __init__(self, converter: PayloadConverter, carried: Carried) -> None:
        self._header = CARRIED.write(carried, converter)

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Start(next, self._header)


class _Start(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, header: Mapping[str, Payload]) -> None:
        super().__init__(next)
        self._header = header

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # Any: as above
        input.headers = {**input.headers, **self._header}
        return await super().start_workflow(input)
