"""The decoding of a run's input, which happens before any interceptor could see it."""

from collections.abc import Callable
from typing import Any, cast

from pydantic import ValidationError
from temporalio import workflow


def judge_input(refusal: Callable[[ValidationError], Exception]) -> None:
    """Fail the run that is being set up if its input does not fit its type.

    Temporal alone would retry the first workflow task for ever. Later tasks do wait, as everywhere in Temporal: the
    input fitted, and the code of today does not. Call it in an interceptor's `init`.

    Args:
        refusal: Returns the failure.
    """
    instance = cast(Any, workflow)._Runtime.current()  # Any: the SDK's workflow instance
    decode = instance._make_workflow_input

    def judged(job: object) -> object:
        try:
            return decode(job)
        except (RuntimeError, ValidationError) as error:  # the second one if it is a failure type of the worker
            cause = error if isinstance(error, ValidationError) else error.__cause__
            if isinstance(cause, ValidationError) and not instance.workflow_is_replaying():
                raise refusal(cause) from None
            raise

    instance._make_workflow_input = judged
