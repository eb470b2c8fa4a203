"""Plans of forks, read from the histories of a run and its children."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes
from temporalio.client import Client as TemporalClient

from llmflow.client.errors import readable_errors
from llmflow.client.forks import Changes, fork_of
from llmflow.history.events import events_of, initiated
from llmflow.history.payloads import Payloads
from llmflow.history.recorded import RecordedCall, calls, children, decoded, undone, upserted
from llmflow.types import wire
from llmflow.types.addresses import around, base_of, joined, names_of, unbranched
from llmflow.types.approvals import Settled, WaitingList
from llmflow.types.base import changed
from llmflow.types.budgets import Budget
from llmflow.types.completions import CompletionResult
from llmflow.types.contracts import BUDGET, CARRIED, COMPLETE, DECIDED, PLACE, WAITING
from llmflow.types.forks import Fork, Hop
from llmflow.types.plans import Outcome, Plan, PlannedCalls, PlannedEffect
from llmflow.types.usage import Totals


async def plan_fork(temporal: TemporalClient, id: str, run_id: str | None, step: str, changes: Changes) -> Plan:
    """Plan a fork. No worker is needed, and nothing is started.

    Raises:
        LLMFlowError: as documented in `Run.fork`.
    """
    found = _Found()
    started, fork, known = await fork_of(temporal, id, run_id, step, changes)
    async with readable_errors(id):
        most = await _most(Payloads(temporal, id), started)
        await _read(temporal, fork, id, fork.run_id, found)
    executed = sum((one for _, one in found.executed), Totals())
    return Plan(
        source=id,
        step=fork.step,
        until=fork.until,
        taken=_by_step(found.taken),
        executed=_by_step(found.executed),
        usage=executed,
        whole=sum((one for _, one in found.taken), executed),
        unanswered=found.unanswered,
        most=most,
        effects=tuple(found.effects),
        decisions=tuple(found.decisions),
        questions=tuple(found.questions),
        timers=len(found.timers),
        timers_length=sum(found.timers, timedelta()),
        messages=tuple(found.messages),
        unchanged=tuple(name for name, word in fork.prompts.items() if known.get(name, "").startswith(word)),
    )


async def _most(payloads: Payloads, started: WorkflowExecutionStartedEventAttributes) -> Decimal | None:
    """Return the budget that a run was given or has inherited, unless calls of unknown price go past it."""
    if noted := started.memo.fields.get(BUDGET.name):
        [budget] = await payloads.read([noted], [Budget])
    else:
        carried = await payloads.header(CARRIED, started.header.fields)
        budget = carried.origin.budget if carried else None
    return budget.usd if budget and budget.unpriced == "refuse" else None


class _Found:
    """Findings in a run and its children, with addresses from the run."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Totals]] = []
        self.executed: list[tuple[str, Totals]] = []
        self.unanswered = 0
        self.effects: list[PlannedEffect] = []
        self.decisions: list[str] = []
        self.questions: list[str] = []
        self.timers: list[timedelta] = []
        self.messages: list[str] = []


@dataclass(frozen=True)
class _Run:
    """One run of the tree."""

    fork: Fork
    payloads: Payloads
    events: Sequence[HistoryEvent]
    path: str
    """Address of the run in the whole; empty for the run itself."""

    @property
    def type(self) -> str:
        return self.events[0].workflow_execution_started_event_attributes.workflow_type.name

    def address(self, of: str) -> str:
        return joined(filter(None, (self.path, of)))


async def _read(client: TemporalClient, fork: Fork, id: str, run_id: str, found: _Found, path: str = "") -> None:
    events = [event async for event in events_of(client, id, run_id)]
    run = _Run(fork, Payloads(client, id), events, path)
    made = [call for call in calls(events) if not fork.stops(call.id)]
    effects = {call.id: call for call in made if call.is_effect}
    gone = undone(call.id for call in made)
    for call in made:
        if call.type in (wire.RECALL, wire.STANDS, wire.REACH, wire.NOTIFY, wire.SENT):
            continue
        usage = await _usage(run, call)
        takes = call.result is not None and call.at < fork.before
        if call.is_effect:
            if effects[call.id] is call:
                found.effects.append(_effect(run, call, any(step in gone for step in around(call.id))))
        else:
            (found.taken if takes else found.executed).append((run.address(call.id), usage))
            found.unanswered += call.type == COMPLETE.name and call.result is None
    await _people(run, found)
    found.timers += _timers(run)
    found.messages += _messages(events)
    places: dict[int, str] = {}
    for event in events:
        if child := initiated(event):
            place = await Payloads(client, child.workflow_id).header(PLACE, child.header.fields)
            places[event.event_id] = place or f"{child.workflow_type.name}#{event.event_id}"
    for child in children(events, places):
        if child.run_id and not fork.stops(child.place):
            # Everything in a child that began before the step is taken, and nothing of a later one.
            before = sys.maxsize if child.at < fork.before else 0
            below = changed(fork.below(Hop(place=child.place), ""), before=before)
            await _read(client, below, child.workflow_id, child.run_id, found, run.address(child.place))


async def _usage(run: _Run, call: RecordedCall) -> Totals:
    if call.type != COMPLETE.name or call.result is None:
        return Totals()
    [answer] = await run.payloads.read(decoded(call.result), [CompletionResult], run.payloads.of_call(run.type, call))
    return Totals().plus(answer.usage, answer.cost)


def _effect(run: _Run, call: RecordedCall, is_undone: bool) -> PlannedEffect:
    fork = run.fork
    outcome: Outcome = "taken"
    if call.result is not None:
        if fork.repeat_effects and (is_undone or fork.restarts(call.id)):
            outcome = "called"
    elif fork.repeat_effects:
        outcome = "called"
    elif call.failure is None or fork.restarts(call.id):
        outcome = "the fork stops here"
    else:
        outcome = "its failure is taken"
    return PlannedEffect(address=run.address(call.id), call=call.type, outcome=outcome)


async def _people(run: _Run, found: _Found) -> None:
    records = list(upserted(run.events, DECIDED.name))
    settled: list[Settled] = await run.payloads.read(
        decoded(payload for _, payload in records), [Settled] * len(records)
    )
    for (at, _), one in zip(records, settled, strict=True):
        (found.decisions if at < run.fork.before else found.questions).append(run.address(one.address))
    asked = [payload for _, payload in upserted(run.events, WAITING.name)][-1:]
    for waiting in await run.payloads.read(decoded(asked), [WaitingList | None] * len(asked)):
        found.questions += [run.address(one.name) for one in waiting.open] if waiting else []


def _timers(run: _Run) -> Iterator[timedelta]:
    """Yield the lengths of timers that are neither deadlines nor reminders of questions."""
    for event in run.events:
        if event.HasField("timer_started_event_attributes"):
            summary = event.user_metadata.summary.data
            if not summary.startswith(b'"approval '):
                yield event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()


def _messages(events: Sequence[HistoryEvent]) -> Iterator[str]:
    """Yield the names of signals and updates that are not llmflow's own."""
    for event in events:
        signal = event.workflow_execution_signaled_event_attributes.signal_name
        update = event.workflow_execution_update_accepted_event_attributes.accepted_request.input.name
        name = signal or update
        if name and not name.startswith(f"{wire.PREFIX}."):
            yield name


def _by_step(found: Sequence[tuple[str, Totals]]) -> tuple[PlannedCalls, ...]:
    """Add up calls by their outermost step, all branches of a fan-out together."""
    steps: dict[str, list[Totals]] = {}
    for address, usage in found:
        names = names_of(address)
        steps.setdefault(base_of(unbranched(names[0])), []).append(usage)
    return tuple(
        PlannedCalls(step=step, calls=len(all_of), usage=sum(all_of, Totals())) for step, all_of in steps.items()
    )
