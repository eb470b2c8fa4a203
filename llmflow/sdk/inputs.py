"""The decoding of a run's input, which happens before any interceptor could see it."""

from collections.abc import Callable
from typing import Any, cast

from pydantic import ValidationError
from temporalio import workflow


def judge_input(refusal: Callable[[ValidationError, bool], Exception]) -> None:
    """Say in an error of ours that the input of the run that is being set up does not fit its type.

    Temporal alone would retry the first workflow task for ever. Call it in an interceptor's `init`.

    Args:
        refusal: Returns a failure, which fails the run, or another error, which fails the workflow task. It gets
            pydantic's error, and True on replay.
    """
    instance = cast(Any, workflow)._Runtime.current()  # Any: the SDK's workflow instance
    decode = instance._make_workflow_input

    def judged(job: object) -> object:
        try:
            return decode(job)
        except (RuntimeError, ValidationError) as error:  # the second one if it is a failure type of the worker
            cause = error if isinstance(error, ValidationError) else error.__cause__
            if isinstance(cause, ValidationError):
                raise refusal(cause, instance.workflow_is_replaying()) from None
            raise

    instance._make_workflow_input = judged
