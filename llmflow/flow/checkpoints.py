"""Long runs go on as new ones, before their history becomes too long."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, NoReturn

from temporalio import workflow

from llmflow.errors import InputInvalid
from llmflow.flow.run import current

MAX_EVENTS = 10_000
"""Of one run's history. Temporal suggests to go on after 4,096 events or 4 MB, unless its operator set other numbers;
it ends a run at 51,200."""
HANDLERS = timedelta(seconds=10)
"""How long a run that goes on waits for its open signal and update handlers."""


async def checkpoint(state: object) -> None:
    """Continue as new here once the history has grown long: `await flow.checkpoint(state)` in the loop of a long run.

    Returns at once, and costs nothing, until the history has become long. Then the run ends here, and the same
    workflow begins again with `state` as its input. Prompt versions, totals, budget, tags, steps and approvals go
    along, and whoever waits for the result waits on.

    Call it where nothing else is under way: calls that are still running in other branches are given up. The last 500
    steps go along; older ones stay in the histories of the runs before.

    Args:
        state: The input of the next run: everything that it needs.

    Raises:
        InputInvalid: a saga is open, whose compensations would be lost; or this is an update handler; or `run` takes
            no such single input. All of that is said at once, also while the history is short.
    """
    run = current()
    if pending := run.sagas.pending():
        raise InputInvalid(
            f"checkpoint inside of a saga: what undoes {', '.join(pending)} would be lost; call it after the block"
        )
    if workflow.current_update_info():
        raise InputInvalid("checkpoint in an update handler: Temporal allows it in the workflow's `run` alone")
    try:
        run.signature.bind(None, state)
    except TypeError as error:
        raise InputInvalid(f"checkpoint: the next run gets the state as its one input, and `run`: {error}") from None
    if is_due():
        await go_on([state])


def is_due() -> bool:
    """Whether the history has become long."""
    info = workflow.info()
    return info.is_continue_as_new_suggested() or info.get_current_history_length() >= MAX_EVENTS


async def go_on(arguments: Sequence[Any]) -> NoReturn:  # Any: the workflow's own types
    """End the run here, and begin its workflow again with these arguments."""
    if not workflow.all_handlers_finished():
        with suppress(TimeoutError):  # one that does not end would keep the run here for ever
            await workflow.wait_condition(workflow.all_handlers_finished, timeout=HANDLERS)
    workflow.continue_as_new(args=arguments)
