"""Converts errors of the Temporal server to llmflow's errors, which say what to do."""

import re
import traceback
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from inspect import getfile

from temporalio.client import WorkflowQueryFailedError
from temporalio.converter import DataConverter
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
    PayloadUnreadable,
    Remedy,
    RunNotFound,
    ServerUnavailable,
)

_CONVERTER = getfile(DataConverter)
_UNKNOWN = "Unknown payload encoding"  # as Temporal's converter says it


@asynccontextmanager
async def readable_errors(what: str) -> AsyncGenerator[None]:
    """Convert errors of the Temporal server to llmflow's errors.

    Raises:
        NoWorker: the run cannot answer a query.
        PayloadUnreadable: a value cannot be decoded here.
        LLMFlowError: see `rpc_error`.
    """
    try:
        yield
    except WorkflowQueryFailedError as error:
        if str(error).startswith("Expected workflow input"):  # its input cannot be decoded, so there is no instance
            raise NoWorker(f"run {what!r} never began, because its input does not fit its workflow") from error
        if "[TMPRL1100]" in str(error):  # Temporal's code for nondeterminism
            raise NoWorker(
                f"run {what!r} cannot answer, because the code of its workflow has changed: put changes behind "
                f"`workflow.patched` to keep old runs readable ({error})",
                ErrorDetail(remedy=Remedy(action="read_ledger", run=what)),
            ) from error
        raise NoWorker(
            f"run {what!r} cannot answer, because its code has not used llmflow or fails, or its worker does not use "
            f"LLMFlowPlugin: {error}"
        ) from error
    except RPCError as error:
        raise rpc_error(error, what) from error
    except Exception as error:  # of any class: a codec is the user's
        if not _is_of_converter(error):
            raise
        raise unreadable(error, what) from error


def unreadable(error: Exception, what: str) -> LLMFlowError:
    """Convert an error of decoding a value; `what` is the run that it belongs to."""
    if isinstance(error, LLMFlowError):
        return error
    said = str(error.args[0]) if error.args else type(error).__name__  # `str` of a KeyError has quotation marks
    if "[TMPRL1105]" in said:
        return PayloadUnreadable(f"a value of {what!r} is in external storage: set LLMFLOW_STORAGE as its worker does")
    if said.startswith(_UNKNOWN):
        encoding = said.rpartition(" ")[2]
        return PayloadUnreadable(f"a value of {what!r} is {encoding}: set LLMFLOW_CODEC to the codec of its worker")
    kind = type(error).__name__
    return PayloadUnreadable(
        f"a value of {what!r} cannot be decoded, so LLMFLOW_CODEC may have another key than its worker "
        f"({kind if said == kind else f'{kind}: {said}'})"
    )


def _is_of_converter(error: Exception) -> bool:
    """True if an error arose in Temporal's data converter: below it, in a codec, a storage or a converter."""
    if isinstance(error, KeyError) and _UNKNOWN in str(error):
        return True
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_code.co_filename == _CONVERTER for frame, _ in frames) and not isinstance(error, LLMFlowError)


def rpc_error(error: RPCError, what: str) -> LLMFlowError:
    """Convert an error of a request to the server; `what` names its subject."""
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
            # The server's positions refer to its own statement around the given filter.
            said = re.sub(r" at position \d+", "", error.message)
            return InputInvalid(f"Temporal does not accept {what!r}: {said}")
        case RPCStatusCode.UNAVAILABLE:
            return ServerUnavailable(f"the Temporal server does not answer ({error.message})")
        case RPCStatusCode.UNIMPLEMENTED:
            return ConfigInvalid(
                f"this Temporal server does not offer this request: upgrade it, or enable it ({error.message})"
            )
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
    """Describe how a run ended, such as `failed: OutputInvalid: the answer does not fit Plan ...`."""
    match cause:
        case CancelledError():
            return "was cancelled"
        case TerminatedError():
            return f"was terminated: {cause}"
        case TimeoutError():
            return "ran out of time"
        case ActivityError() if cause.cause is not None:
            return f"failed in {cause.activity_id}: {named(cause.cause)}"
        # A call through llmflow, which raises the activity's error unwrapped.
        case LLMFlowError(__cause__=ActivityError() as call) if isinstance(call.cause, type(cause)):
            return f"failed in {call.activity_id}: {named(cause)}"
        case ChildWorkflowError() if cause.cause is not None:
            return f"{how_it_ended(cause.cause)} (in its child {cause.workflow_id})"
        case _:
            return f"failed: {named(cause)}"


def named(error: BaseException) -> str:
    """Format an error, also one from a history, such as `KeyError: 'x'`."""
    if isinstance(error, ApplicationError) and error.type and not isinstance(error, LLMFlowError):
        return str(error)  # begins with its type
    return f"{type(error).__name__}: {error}"
