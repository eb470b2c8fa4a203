"""Temporal's answers to a client, as errors that say what to do."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from temporalio.client import WorkflowQueryFailedError
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    TerminatedError,
    TimeoutError,
)
from temporalio.service import RPCError, RPCStatusCode

from llmflow.errors import (
    ConfigInvalid,
    ErrorDetail,
    InputInvalid,
    LLMFlowError,
    NoWorker,
    Remedy,
    RunNotFound,
    ServerUnavailable,
)


@asynccontextmanager
async def readable_errors(what: str) -> AsyncGenerator[None]:
    """Translate Temporal's answers to a client into errors that say what to do.

    Raises:
        NoWorker: the run cannot answer.
        LLMFlowError: as `rpc_error` reads the status.
    """
    try:
        yield
    except WorkflowQueryFailedError as error:
        if str(error).startswith("Expected workflow input"):  # there is no object to ask: its input could not be read
            raise NoWorker(f"run {what!r} never began, because its input does not fit its workflow") from error
        if "[TMPRL1100]" in str(error):  # which is how Temporal's core marks it
            raise NoWorker(
                f"run {what!r} cannot answer, because the code of its workflow has changed since: changes behind "
                f"`workflow.patched` keep old runs readable ({error})",
                ErrorDetail(remedy=Remedy(action="read_ledger", run=what)),
            ) from error
        raise NoWorker(
            f"run {what!r} cannot answer, because its code has not used llmflow or fails, or its worker does not use "
            f"LLMFlowPlugin: {error}"
        ) from error
    except RPCError as error:
        raise rpc_error(error, what) from error


def rpc_error(error: RPCError, what: str) -> LLMFlowError:
    """The error of ours for a call that the server refused; `what` was asked for."""
    match error.status:
        case RPCStatusCode.UNAUTHENTICATED | RPCStatusCode.PERMISSION_DENIED:
            return ConfigInvalid(f"Temporal says: {error.message}; check TEMPORAL_API_KEY, or the profile's")
        case RPCStatusCode.NOT_FOUND:
            return _not_there(error.message, what)
        case RPCStatusCode.FAILED_PRECONDITION if "not scheduled yet" in error.message:
            return NoWorker(f"run {what!r} has not begun yet")
        case RPCStatusCode.FAILED_PRECONDITION if "failed state" in error.message:
            return NoWorker(f"run {what!r} cannot answer, because its code fails: its worker's log says where")
        case RPCStatusCode.DEADLINE_EXCEEDED | RPCStatusCode.CANCELLED | RPCStatusCode.FAILED_PRECONDITION:
            return NoWorker(
                f"run {what!r} gave no answer: no worker serves its task queue, or its code fails ({error.message})",
                ErrorDetail(remedy=Remedy(action="find_bug", run=what)),
            )
        case RPCStatusCode.INVALID_ARGUMENT:
            # Positions are those in a statement of the server's own, around the filter that it was given.
            said = re.sub(r" at position \d+", "", error.message)
            return InputInvalid(f"Temporal does not accept {what!r}: {said}")
        case RPCStatusCode.UNAVAILABLE:
            return ServerUnavailable(f"the Temporal server does not answer ({error.message})")
        case RPCStatusCode.UNIMPLEMENTED:
            return ConfigInvalid(f"this Temporal server is too old for it, or does not offer it ({error.message})")
        case _:
            return ServerUnavailable(f"the Temporal server says {error.status.name}: {error.message}")


def _not_there(said: str, what: str) -> LLMFlowError:
    if said.startswith("Namespace "):
        return ConfigInvalid(
            f"Temporal says: {said} Make it with `temporal operator namespace create`, or set TEMPORAL_NAMESPACE to "
            "one that exists"
        )
    if "already completed" in said:
        return RunNotFound(
            f"run {what!r} has ended already", ErrorDetail(remedy=Remedy(action="look_at_run", run=what))
        )
    why = "" if "not found" in said else f" ({said})"
    return RunNotFound(f"there is no run {what!r}{why}", ErrorDetail(remedy=Remedy(action="list_runs")))


def how_it_ended(cause: BaseException) -> str:
    """Such as `failed: OutputInvalid: the answer does not fit Plan ...`."""
    match cause:
        case CancelledError():
            return "was cancelled"
        case TerminatedError():
            return f"was terminated: {cause}"
        case TimeoutError():
            return "ran out of time"
        case ActivityError() if cause.cause is not None:
            return f"failed in {cause.activity_id}: {named(cause.cause)}"
        # A call of ours: workflow code sees the error that its activity failed with.
        case LLMFlowError(__cause__=ActivityError() as call) if isinstance(call.cause, type(cause)):
            return f"failed in {call.activity_id}: {named(cause)}"
        case ChildWorkflowError() if cause.cause is not None:
            return f"{how_it_ended(cause.cause)} (in its child {cause.workflow_id})"
        case _:
            return f"failed: {named(cause)}"


def named(error: BaseException) -> str:
    """Such as `KeyError: 'x'`, also of an error that comes from a history."""
    if isinstance(error, ApplicationError) and error.type:
        return str(error)  # which begins with its type
    return f"{type(error).__name__}: {error}"
