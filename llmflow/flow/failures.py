"""Errors in workflow code: their text, and if a retry may help."""

from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError

from llmflow.errors import LLMFlowError


def described(error: BaseException) -> str:
    """Return class and message of the innermost error, without Temporal's wrappers around it."""
    error = _innermost(error)
    return str(error) if isinstance(error, ApplicationError) else f"{type(error).__name__}: {error}"


def may_pass(error: BaseException) -> bool:
    """Return True if a retry may succeed; unknown errors may."""
    error = _innermost(error)
    if isinstance(error, LLMFlowError):
        return error.may_pass
    return not (isinstance(error, ApplicationError) and error.non_retryable)


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, ActivityError | ChildWorkflowError) and error.cause:
        error = error.cause
    return error
