"""Temporal's answers to a client, as errors that say what to do."""

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

from llmflow.errors import ConfigInvalid, InputInvalid, LLMFlowError, NoWorker, RunNotFound, ServerUnavailable


@asynccontextmanager
async def readable_errors(what: str) -> AsyncGenerator[None]:
    """Temporal's answers to a client, as errors that say what to do."""
    try:
        yield
    except WorkflowQueryFailedError as error:
        if str(error).startswith("Expected workflow input"):  # there is no object to ask: its input could not be read
            raise NoWorker(f"run {what!r} never began, because its input does not fit its workflow") from error
        raise NoWorker(
            f"run {what!r} cannot answer, because its worker does not use LLMFlowPlugin or its code fails: {error}"
        ) from error
    except RPCError as error:
        raise rpc_error(error, what) from error


def rpc_error(error: RPCError, what: str) -> LLMFlowError:
    """The error of ours for a call that the server refused; `what` was asked for."""
    no_worker = "no worker polls its task queue: start one with `llmflow worker`"
    match error.status:
        case RPCStatusCode.NOT_FOUND if error.message.startswith("Namespace "):
            return ConfigInvalid(
                f"Temporal says: {error.message} Make it with `temporal operator namespace create`, or set "
                "TEMPORAL_NAMESPACE to one that exists"
            )
        case RPCStatusCode.UNAUTHENTICATED | RPCStatusCode.PERMISSION_DENIED:
            return ConfigInvalid(f"Temporal says: {error.message}; check TEMPORAL_API_KEY, or the profile's")
        case RPCStatusCode.NOT_FOUND:
            return RunNotFound(
                f"there is no run {what!r} here to do this to ({error.message}): `llmflow list` shows those there are"
            )
        case RPCStatusCode.FAILED_PRECONDITION if "not scheduled yet" in error.message:
            return NoWorker(f"run {what!r} has not begun yet")
        case RPCStatusCode.FAILED_PRECONDITION if "failed state" in error.message:
            return NoWorker(f"run {what!r} cannot answer, because its code fails: its worker's log says where")
        case RPCStatusCode.DEADLINE_EXCEEDED | RPCStatusCode.CANCELLED | RPCStatusCode.FAILED_PRECONDITION:
            return NoWorker(f"run {what!r} gave no answer: {no_worker} ({error.message})")
        case RPCStatusCode.INVALID_ARGUMENT:
            return InputInvalid(f"Temporal does not accept {what!r}: {error.message}")
        case RPCStatusCode.UNAVAILABLE:
            return ServerUnavailable(f"the Temporal server does not answer ({error.message})")
        case RPCStatusCode.UNIMPLEMENTED:
            return ConfigInvalid(f"this Temporal server is too old for it, or does not offer it ({error.message})")
        case _:
            return ServerUnavailable(f"the Temporal server says {error.status.name}: {error.message}")


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
        case ChildWorkflowError() if cause.cause is not None:
            return f"{how_it_ended(cause.cause)} (in its child {cause.workflow_id})"
        case _:
            return f"failed: {named(cause)}"


def named(error: BaseException) -> str:
    """Such as `KeyError: 'x'`, also of an error that comes from a history."""
    if isinstance(error, ApplicationError) and error.type:
        return str(error)  # which begins with its type
    return f"{type(error).__name__}: {error}"
