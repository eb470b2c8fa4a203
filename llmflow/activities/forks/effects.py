"""Effects of forks: their recorded outcomes, and the stop before one that has none."""

import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import timedelta

from pydantic_core import to_json
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.service import RPCError, RPCStatusCode

from llmflow.activities.forks.histories import Histories
from llmflow.activities.heartbeat import heartbeats
from llmflow.errors import ForkStopped, LLMFlowError
from llmflow.types.addresses import base_of, names_of
from llmflow.types.base import changed
from llmflow.types.contracts import STANDS, STOPPED
from llmflow.types.forks import MAX_SHOWN, Fork, StandsRequest, Stood, Stopped

CANCELLED_WITHIN = timedelta(seconds=10)
"""Time for the cancellation of a fork to reach the call, through its children and with a heartbeat."""


def final(error: BaseException) -> BaseException:
    """Make a recorded error that is not retried: its attempts were made in the run that was forked."""
    if isinstance(error, LLMFlowError):
        return type(error)(error.message, changed(error.detail, retry=False, retry_after=None))
    if isinstance(error, ApplicationError):
        return ApplicationError(
            error.message, *error.details, type=error.type, non_retryable=True, category=ApplicationErrorCategory.BENIGN
        )
    return error


async def stop(client: Client, fork: Fork, before: Stopped) -> ForkStopped:
    """Stop a fork before a call, by cancelling it, and return the error of the call.

    A cancellation, because no code of the run may take it for a failure of the call and go on.
    """
    root = client.get_workflow_handle(fork.root)
    try:
        await root.signal(STOPPED.name, before)
        # The reason stands in clear in the history: without the arguments, which a codec may have to hide.
        await root.cancel(reason=f"the fork stops before {before.address}")
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended, and this is a child that goes on without it
            raise
    await asyncio.sleep(CANCELLED_WITHIN.total_seconds())  # it ends as cancelled, unless the run shields it from that
    return before.error()


def shown(arguments: Sequence[object]) -> str:
    """Return arguments as JSON for people: the one of a tool as an object, and only as much as is kept."""
    value = arguments[0] if len(arguments) == 1 else arguments
    try:
        text = json.dumps(json.loads(to_json(value)), ensure_ascii=False)
    except ValueError:
        text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


class Standing:
    """Checks that the actions of a fork's saga still stand."""

    def __init__(self, histories: Histories) -> None:
        self._histories = histories

    @activity.defn(name=STANDS.name)
    async def stands(self, request: StandsRequest) -> Stood:
        """Stop the fork if the run that it forks has undone one of the actions.

        Raises:
            ForkStopped: it has.
            RunNotFound: the history of the original run was deleted.
            ServerUnavailable: the history cannot be read now.
        """
        with heartbeats():
            for source in await self._histories.sources(changed(request.fork, before=sys.maxsize)):
                for path in request.paths:
                    if path in source.run.undone:
                        why = "the earlier run has undone it"
                        undone = stopped(path, base_of(names_of(path)[-1]), "...", why)
                        raise await stop(self._histories.client, request.fork, undone)
        return Stood()


def stopped(address: str, call: str = "", arguments: str = "", why: str = "") -> Stopped:
    """Return the stop of the calling activity's run before a call; without a call, where the fork was told to."""
    return Stopped(
        run=activity.info().workflow_id or "", address=address, call=call, arguments=arguments, why=why[:MAX_SHOWN]
    )
