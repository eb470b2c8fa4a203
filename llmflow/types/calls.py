"""How Temporal should run a call: one options object for every verb."""

from datetime import timedelta
from typing import cast

from pydantic import Field, ValidationInfo, ValidatorFunctionWrapHandler, field_validator

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.types.base import Handwritten
from llmflow.types.lengths import length_problem


class CallOptions(Handwritten):
    """Limits of one activity. The defaults suit a reasoning model. A retry waits 1, 2, 4 s, or what the vendor says."""

    timeout: timedelta = timedelta(minutes=10)
    """Of one attempt, from start to end. The client of a provider gives up a little earlier."""
    attempts: int = Field(default=4, ge=1)
    """At most this many, before the failure reaches the workflow (or the next candidate model)."""

    @field_validator("timeout", mode="wrap")
    @classmethod
    def _is_a_length(cls, given: object, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> timedelta:
        # Pydantic takes a number for seconds. That is for JSON, whose writers have no timedelta.
        length = given if info.mode == "python" and isinstance(given, int | float) else read(given)
        if problem := length_problem("timeout", length):
            raise InputInvalid(problem, ErrorDetail(field="timeout"))
        return cast(timedelta, length)
