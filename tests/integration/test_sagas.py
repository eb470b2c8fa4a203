"""Sagas: what was begun is undone, whatever ends the block."""

import asyncio
import gc
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import Worker

from llmflow.client import Client, Run, connect
from llmflow.errors import (
    ApprovalRejected,
    CompensationFailed,
    InputInvalid,
    LLMFlowError,
    PayloadTooLarge,
    RunNotCompleted,
    ToolRefused,
)
from llmflow.plugin import LLMFlowPlugin
from llmflow.testing import Environment, ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.contracts import DECIDE
from llmflow.types.steps import Compensation
from tests.helpers.resets import reset_before
from tests.helpers.waiting import until
from tests.integration.trips import EFFECTS, AtOnce, Nap, Odd, Parties, Trip, app


@pytest_asyncio.fixture(scope="module")
async def trips(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        yield env


@dataclass(frozen=True)
class Ended:
    """Return the outcome of a run, and its actions."""

    run: Run[Any]
    error: BaseException | None
    compensations: tuple[Compensation, ...]

    @property
    def effects(self) -> list[str]:
        return [f"{tool} {what}" for tool, what, _ in EFFECTS[self.run.id]]

    @property
    def keys(self) -> list[str]:
        return [key for _, _, key in EFFECTS[self.run.id]]

    @property
    def undone(self) -> dict[str, str]:
        return {one.path: one.status for one in self.compensations}


async def end_of(run: Run[Any]) -> Ended:
    error = None
    try:
        await run.result()
    except RunNotCompleted as failed:
        error = failed.__cause__
    await assert_replays(run, app)
    return Ended(run, error, (await run.progress()).compensations)


async def ended(env: Environment, workflow: Any, what: Any) -> Ended:
    run = await env.client.start(workflow, what, id=env.id())
    await env.skip(run, timedelta(hours=2))  # the pauses between the rounds of compensations
    return await end_of(run)


async def test_a_block_that_ends_well_undoes_nothing(trips: Environment) -> None:
    done = await ended(trips, Trip.run, ["hotel", "car"])
    assert await done.run.result() == ["ticket for hotel", "ticket for car"]
    assert done.effects == ["book hotel", "book car"]
    assert done.undone == {"trip/book": "not needed", "trip/book#2": "not needed"}
    assert [(step.path, step.status) for step in await done.run.steps()] == [
        ("trip", "completed"),
        ("trip/book", "completed"),
        ("trip/book#2", "completed"),
    ]


async def test_what_was_begun_is_undone_in_reverse_order(trips: Environment) -> None:
    done = await ended(trips, Trip.run, ["hotel", "car", "full", "rail"])
    assert isinstance(done.error, ToolRefused)
    assert await activities_of(done.run) == [
        "trip/book/book#1",
        "trip/book#2/book#1",
        "trip/book#3/book#1",
        "trip/book#3/undo/cancel#1",
        "trip/book#2/undo/cancel#1",
        "trip/book/undo/cancel#1",
    ]
    assert set(done.undone.values()) == {"undone"}
    assert done.effects[-3:] == ["cancel full", "cancel car", "cancel hotel"], "also what failed half-way"


async def test_an_action_its_retry_and_its_compensation_share_a_key(trips: Environment) -> None:
    done, other = await asyncio.gather(*(ended(trips, Trip.run, ["shaky", "hotel", "no"]) for _ in range(2)))
    assert done.effects[:4] == ["book shaky", "book shaky", "book hotel", "book no"]
    assert done.effects[4:] == ["cancel no", "cancel hotel", "cancel shaky"]
    first, again, hotel, no, *undone = done.keys
    assert first == again
    assert first == f"{done.run.id}/{done.run.run_id}/trip/book#do"
    assert undone == [no, hotel, first]
    assert len({*done.keys, *other.keys}) == 6


async def test_a_cancelled_run_waits_for_its_action_and_undoes_it(trips: Environment) -> None:
    run = await trips.client.start(Trip.run, ["hotel", "slow"], id=trips.id())
    await until(lambda: _has(run, "book slow"))
    for _ in range(3):
        await run.cancel()
    done = await end_of(run)
    assert isinstance(done.error, CancelledError)
    assert (await run.status()).state == "cancelled"
    assert done.effects == ["book hotel", "book slow", "cut slow", "cancel slow", "cancel hotel"]


async def _has(run: Run[Any], effect: str) -> bool:
    return effect in Ended(run, None, ()).effects


async def test_what_a_thread_still_does_is_not_undone_yet(trips: Environment) -> None:
    run = await trips.client.start(Odd.run, "thread", id=trips.id())
    await until(lambda: _has(run, "hold car"))
    await run.cancel()
    done = await end_of(run)
    assert (await run.status()).state == "cancelled"
    assert done.effects == ["hold car", "held car", "cancel car"]
    assert len(set(done.keys)) == 1, "a thread knows the key as well"


async def test_who_cancels_again_only_waits(trips: Environment) -> None:
    run = await trips.client.start(Nap.run, False, id=trips.id())
    await until(lambda: _status(run, "sleep", "ready"))
    await run.cancel()
    await until(lambda: _status(run, "sleep", "undoing"))
    await run.cancel()
    await trips.skip(run, timedelta(seconds=2))
    done = await end_of(run)
    assert (await run.status()).state == "cancelled"
    assert done.effects == ["book hotel", "cancel nap", "cancel hotel"]


async def test_workflow_code_that_cancels_a_saga_again_only_waits(trips: Environment) -> None:
    """A second cancellation of the whole run does not reach workflow code; one of its own tasks does."""
    done = await ended(trips, Nap.run, True)
    assert done.error
    assert done.effects == ["book hotel", "cancel nap", "cancel hotel"]


async def test_who_cancels_while_a_failure_is_undone_is_heard_then(trips: Environment) -> None:
    run = await trips.client.start(Odd.run, "failing", id=trips.id())
    await until(lambda: _status(run, "nothing", "undoing"))
    await run.cancel()
    await until(lambda: _heard_of_it(run))
    await run.handle.signal(Odd.tell)
    done = await end_of(run)
    assert (await run.status()).state == "cancelled"
    assert done.undone == {"nothing": "undone"}


async def _heard_of_it(run: Run[Any]) -> bool:
    events = [event.event_type for event in (await run.handle.fetch_history()).events]
    cancelled = events.index(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
    return EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED in events[cancelled:]


async def _status(run: Run[Any], path: str, status: str) -> bool:
    return any((one.path, one.status) == (path, status) for one in (await run.progress()).compensations)


async def test_a_flaky_compensation_is_tried_again_after_the_others(trips: Environment) -> None:
    done = await ended(trips, Trip.run, ["hotel", "flaky", "full"])
    assert isinstance(done.error, ToolRefused), "the error that began it"
    assert done.effects[3:] == ["cancel full", "cancel flaky", "cancel hotel", "cancel flaky"]
    assert set(done.undone.values()) == {"undone"}
    assert (await activities_of(done.run))[-1] == "trip/book#2/undo#2/cancel#1"


async def test_what_cannot_be_undone_is_said_and_the_rest_is(trips: Environment) -> None:
    done = await ended(trips, Trip.run, ["hotel", "stuck", "full"])
    assert isinstance(done.error, CompensationFailed)
    assert done.error.message.startswith("1 of 3 could not be undone, look after them: trip/book#2 (cancel: ")
    assert done.error.message.endswith("LookupError: nobody answers). Undone: trip/book, trip/book#3")
    lines = done.error.detail.compensations
    assert [line.partition(":")[0] for line in lines] == ["trip/book", "trip/book#2", "trip/book#3"]
    assert "NOT undone" in lines[1]
    assert done.keys[1] in lines[1]
    assert str(done.error.__cause__) == "full: nothing free"
    assert done.effects[3:] == ["cancel full", "cancel stuck", "cancel hotel", *["cancel stuck"] * 9]
    assert done.undone == {"trip/book": "undone", "trip/book#2": "failed", "trip/book#3": "undone"}


async def test_what_cannot_be_undone_is_no_data_of_a_fan_out(trips: Environment) -> None:
    assert (await ended(trips, Parties.run, [["hotel", "full"]])).error is None, "the party undid everything"
    done = await ended(trips, Parties.run, [["hotel"], ["late", "full"]])
    assert isinstance(done.error, CompensationFailed)


async def test_a_compensation_that_says_no_is_not_tried_again_also_after_a_cancellation(trips: Environment) -> None:
    run = await trips.client.start(Trip.run, ["hotel", "late", "slow"], id=trips.id())
    await until(lambda: _has(run, "book slow"))
    await run.cancel()
    done = await end_of(run)
    assert isinstance(done.error, CompensationFailed)
    assert (await run.status()).state == "failed"
    assert done.effects[3:] == ["cut slow", "cancel slow", "cancel late", "cancel hotel"]
    assert done.undone["trip/book#2"] == "failed"


async def test_everything_at_once(trips: Environment) -> None:
    done = await ended(trips, AtOnce.run, ["hotel", "flaky", "late", "full"])
    assert isinstance(done.error, CompensationFailed)
    assert sorted(done.effects[4:8]) == ["cancel flaky", "cancel full", "cancel hotel", "cancel late"]
    assert done.effects[8:] == ["cancel flaky"]
    tasks = [
        event.activity_task_scheduled_event_attributes.workflow_task_completed_event_id
        for event in (await done.run.handle.fetch_history()).events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    assert len(set(tasks[4:8])) == 1, "four compensations of one workflow task"
    assert list(done.undone.values()) == ["undone", "undone", "failed", "undone"]


async def test_functions_may_do_more_than_one_thing(trips: Environment) -> None:
    done = await ended(trips, Odd.run, "functions")
    assert isinstance(done.error, ApprovalRejected)
    assert await activities_of(done.run) == [
        "reserve/book#1",
        "reserve/extra/book#1",
        "reserve/extra/book#2",
        "reserve/undo/cancel#1",
        "reserve/undo/extra/cancel#1",
        "reserve/undo/extra/cancel#2",
    ]
    key = done.compensations[0].key
    assert done.keys == [key, f"{key}/extra", f"{key}/extra#2"] * 2


async def test_a_rejected_approval_undoes_what_was_done_before_it(trips: Environment) -> None:
    run = await trips.client.start(Odd.run, "rejected", id=trips.id())
    no = {"approval": "pay", "approved": False, "by": "ana", "comment": "too dear"}
    await run.handle.signal(DECIDE.name, no)
    done = await end_of(run)
    assert isinstance(done.error, ApprovalRejected)
    assert done.effects == ["book hotel", "cancel hotel"]


async def test_a_saga_in_a_saga_is_undone_first_and_one_that_ended_well_not_at_all(trips: Environment) -> None:
    done = await ended(trips, Odd.run, "nested")
    assert isinstance(done.error, ToolRefused)
    assert done.effects[4:] == ["cancel full", "cancel rail", "cancel hotel"]
    assert list(done.undone.values()) == ["undone", "not needed", "undone", "undone"]


async def test_an_error_that_is_caught_inside_undoes_nothing(trips: Environment) -> None:
    done = await ended(trips, Odd.run, "caught")
    assert (done.error, done.effects) == (None, ["book full", "book hotel"])


async def test_a_bug_undoes_everything_and_then_fails_the_run(temporal: str) -> None:
    """Otherwise it would be blocked for ever: fixed code does not compensate, so it cannot replay the history."""
    connected = await connect(address=temporal, plugin=LLMFlowPlugin())
    queue = f"trips-{uuid.uuid4()}"
    async with Worker(connected.temporal, task_queue=queue, workflows=[Odd]):  # where bugs do not fail runs elsewhere
        client = Client(connected.temporal, queue)
        done = await end_of(await client.start(Odd.run, "bug", id=queue))
        caught = await end_of(await client.start(Odd.run, "caught bug", id=f"{queue}-caught"))
    assert isinstance(done.error, ApplicationError)
    assert (done.error.type, done.error.message) == ("KeyError", "'ticket'")
    assert done.error.__cause__, "with the place of the bug"
    assert (await done.run.status()).state == "failed"
    assert done.undone == caught.undone == {"free": "undone"}
    assert await caught.run.result() == "went on without 'ticket'", "outside of the saga it is what it was"


async def test_branches_that_still_run_are_cancelled_and_undone(trips: Environment) -> None:
    done = await ended(trips, Odd.run, "branches")
    assert isinstance(done.error, ToolRefused)
    assert done.effects[-2:] == ["cancel full", "cancel hotel"]
    assert done.undone == {"book": "undone", "sleep": "undone", "book#2": "undone"}
    assert [step.status for step in await done.run.steps() if step.path == "sleep"] == ["cancelled"]


async def test_a_saga_that_nobody_waits_for_any_more_is_undone_before_the_run_ends(trips: Environment) -> None:
    run = await trips.client.start(Odd.run, "abandoned", id=trips.id())
    await until(lambda: _status(run, "book", "ready"))
    await run.handle.signal(Odd.tell)
    with pytest.raises(RunNotCompleted) as failed:
        await run.result()
    assert isinstance(failed.value.__cause__, ApprovalRejected)
    assert [one.status for one in (await run.progress()).compensations] == ["undone"]
    await assert_replays(run, app)


async def test_a_terminated_run_undoes_nothing(trips: Environment) -> None:
    run = await trips.client.start(Trip.run, ["hotel", "slow"], id=trips.id())

    async def in_flight() -> bool:
        return "slow" in [what for _, what, _ in EFFECTS[run.id]]

    await until(in_flight)
    await run.terminate("started twice")

    async def cut() -> bool:
        return EFFECTS[run.id][-1][:2] == ("cut", "slow")

    await until(cut)
    assert [tool for tool, *_ in EFFECTS[run.id]] == ["book", "book", "cut"]
    assert (await run.status()).state == "terminated"
    assert {one.status for one in (await run.progress()).compensations} == {"ready"}


async def test_a_saga_in_a_generator_that_nobody_goes_on_with_does_not_hold_up_the_run(trips: Environment) -> None:
    done = await ended(trips, Odd.run, "suspended")
    assert done.error is None
    assert done.effects == ["book hotel"]


async def test_what_was_done_is_undone_also_if_its_result_is_too_large(trips: Environment) -> None:
    done = await ended(trips, Trip.run, ["hotel", "long"])
    assert isinstance(done.error, PayloadTooLarge)
    assert done.effects == ["book hotel", "book long", "cancel long", "cancel hotel"]


async def test_a_run_that_leaves_the_memory_of_its_worker_in_a_saga_leaves_no_noise(
    temporal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", noise.append)
    async with environment(app, ScriptedProvider([]), address=temporal) as env:
        acts = await env.client.start(Nap.run, False, id=env.id())
        undoes = await env.client.start(Odd.run, "failing", id=env.id())
        await until(lambda: _status(acts, "sleep", "ready"))
        await until(lambda: _status(undoes, "nothing", "undoing"))
    gc.collect()
    assert noise == []
    await acts.terminate("nobody serves it any more")
    await undoes.terminate("nobody serves it any more")


@pytest.mark.parametrize(
    ("what", "says", "effects"),
    [
        ("inside", "checkpoint inside a saga: the compensations of book would be lost", ["book hotel", "cancel hotel"]),
        (
            *("continued", "continue_as_new inside a saga: the compensations of book would be lost"),
            ["book hotel", "cancel hotel"],
        ),
        ("closed", "this saga is not open", []),
    ],
)
async def test_mistakes_are_said_before_anything_is_done(
    trips: Environment, what: str, says: str, effects: list[str]
) -> None:
    done = await ended(trips, Odd.run, what)
    assert isinstance(done.error, InputInvalid)
    assert says in done.error.message
    assert done.effects == effects


async def test_arguments_that_are_refused_did_nothing_and_are_not_undone(trips: Environment) -> None:
    done = await ended(trips, Odd.run, "arguments")
    assert isinstance(done.error, LLMFlowError)
    assert type(done.error).__name__ == "ToolArgumentsInvalid"
    assert done.effects == ["book hotel", "cancel hotel"]
    assert list(done.undone.values()) == ["undone", "not needed"]


async def test_a_run_that_is_reset_acts_and_undoes_under_its_old_keys(trips: Environment) -> None:
    first = await ended(trips, Trip.run, ["hotel", "full"])
    done = await end_of(await reset_before(trips.client, first.run, "trip/book#2/book#1"))
    assert done.effects[4:] == ["book full", "cancel full", "cancel hotel"]
    hotel, full, _, _, *again = done.keys
    assert again == [full, full, hotel], "what is done again is the same for those who do it"
