"""Errors in workflow code: what they say, and whether waiting helps."""

from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError

from llmflow.errors import LLMFlowError


def described(error: BaseException) -> str:
    """Class and message, of what an activity or a child failed with instead of Temporal's wrappers around it."""
    error = _innermost(error)
    return str(error) if isinstance(error, ApplicationError) else f"{type(error).__name__}: {error}"


def may_pass(error: BaseException) -> bool:
    """Whether the same may succeed later. What nobody knows anything of may."""
    error = _innermost(error)
    if isinstance(error, LLMFlowError):
        return error.may_pass
    return not (isinstance(error, ApplicationError) and error.non_retryable)


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, ActivityError | ChildWorkflowError) and error.cause:
        error = error.cause
    return error
