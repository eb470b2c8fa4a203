"""Checkpoints: long runs continue as new before their history becomes too long."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, NoReturn

from temporalio import workflow

from llmflow.errors import InputInvalid
from llmflow.flow.run import current

MAX_EVENTS = 10_000
"""Events after which a run continues as new. Temporal suggests it after 4,096 events or 4 MB, unless its operator set
other numbers, and terminates a run at 51,200."""
HANDLERS = timedelta(seconds=10)
"""Time that open signal and update handlers have to finish before continue-as-new."""


async def checkpoint(state: object) -> None:
    """Continue as new here once the history has grown long: `await flow.checkpoint(state)` in the loop of a long run.

    While the history is short, return at once at no cost. Then end the run and start the same workflow with `state` as
    its input. Prompt versions, totals, budget, tags, steps and approvals are carried over, and clients that await the
    result follow to the new run.

    Call it while nothing else is in flight: in-flight calls of other branches are cancelled. The last 500 steps are
    carried over; older ones stay in the histories of the earlier runs.

    Args:
        state: The input of the new run: all state that it needs.

    Raises:
        InputInvalid: a saga is open, whose compensations would be lost; or an update handler calls it; or `run` does
            not take one input. Raised also while the history is short.
    """
    run = current()
    run.sagas.require_none("checkpoint")
    if workflow.current_update_info():
        raise InputInvalid(
            "checkpoint in an update handler: Temporal allows it only in the workflow's `run`; call it there"
        )
    try:
        run.signature.bind(None, state)
    except TypeError as error:
        raise InputInvalid(f"checkpoint: the new run gets the state as its only input, but `run`: {error}") from None
    if is_due():
        await continue_as_new([state])


def is_due() -> bool:
    """Return True once the history is long."""
    info = workflow.info()
    return info.is_continue_as_new_suggested() or info.get_current_history_length() >= MAX_EVENTS


async def continue_as_new(arguments: Sequence[Any]) -> NoReturn:  # Any: the workflow's own types
    """Continue the run as new with these arguments."""
    if not workflow.all_handlers_finished():
        with suppress(TimeoutError):  # a handler that never ends must not block continue-as-new
            await workflow.wait_condition(workflow.all_handlers_finished, timeout=HANDLERS)
    workflow.continue_as_new(args=arguments)
