"""Errors in workflow code: their text, and if a retry may help."""

from collections.abc import Generator
from contextlib import contextmanager

from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError

from llmflow.errors import InputInvalid, LLMFlowError


@contextmanager
def unwritable_is_invalid() -> Generator[None]:
    """Say in our own error that a value cannot be written as JSON.

    Raises:
        InputInvalid: the block writes such a value.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        raise InputInvalid(str(error)) from None


def described(error: BaseException) -> str:
    """Return class and message of the innermost error, without Temporal's wrappers around it."""
    error = innermost(error)
    if isinstance(error, ApplicationError) and not isinstance(error, LLMFlowError):
        return str(error)  # begins with its type
    return f"{type(error).__name__}: {error}"


def class_of(error: BaseException) -> str:
    """Return the class of the innermost error, without Temporal's wrappers around it."""
    error = innermost(error)
    if isinstance(error, ApplicationError) and not isinstance(error, LLMFlowError):
        return error.type or type(error).__name__
    return type(error).__name__


def lacks(error: BaseException) -> bool:
    """Return True if the workers that took the call lacked what it needs."""
    error = innermost(error)
    return isinstance(error, LLMFlowError) and error.detail.elsewhere


def may_pass(error: BaseException) -> bool:
    """Return True if a retry may succeed; unknown errors may."""
    error = innermost(error)
    if isinstance(error, LLMFlowError):
        return error.may_pass
    return not (isinstance(error, ApplicationError) and error.non_retryable)


def innermost(error: BaseException) -> BaseException:
    """Return an error without Temporal's wrappers around it."""
    while isinstance(error, ActivityError | ChildWorkflowError) and error.cause:
        error = error.cause
    return error
