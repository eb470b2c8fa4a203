"""Options of calls, under Temporal's own names, and the tools that workflow code calls."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Generic, ParamSpec, TypedDict, TypeVar, cast

from pydantic import JsonValue, ValidationInfo, ValidatorFunctionWrapHandler, field_validator
from temporalio.common import Priority, RetryPolicy

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.types.base import Handwritten, changed, given
from llmflow.types.lengths import length_problem
from llmflow.types.tools import ToolSpec

__all__ = ["AnyTool", "Tool"]

UNSERVED = "NotFoundError"
"""Type of Temporal's own error for an activity that a worker does not serve."""

P = ParamSpec("P")
R = TypeVar("R")


class CallOptions(Handwritten):
    """Options of one activity, as `workflow.execute_activity` takes them. An option left out has the call's default.

    A model call has 10 minutes for an attempt and 4 attempts; a tool has 1 minute and 4 attempts, or the options of
    its `@tool`. Both send heartbeats: a dead worker is noticed within 30 seconds.
    """

    start_to_close_timeout: timedelta | None = None
    """Time limit of one attempt. A provider's client times out a little earlier."""
    schedule_to_close_timeout: timedelta | None = None
    """Time limit of all attempts, time in the task queue included."""
    heartbeat_timeout: timedelta | None = None
    """Without a heartbeat for this long, Temporal considers the worker dead and retries the call; 30 s by default."""
    retry_policy: RetryPolicy | None = None
    """Replaces the default policy as a whole: `RetryPolicy(maximum_attempts=1)` never retries; 0 means no limit."""
    task_queue: str | None = None
    """Task queue of workers that only run activities: with a GPU, or inside another network. By default it is one that
    the workers of the workflow poll: its own, or `<task queue>.llmflow` on a `Worker` that serves other things, too."""
    priority: Priority | None = None
    """Priority in the task queue; the workflow's own by default."""

    def over(self, defaults: "CallOptions") -> "CallOptions":
        """Return these options, completed by defaults."""
        return changed(defaults, **given(self))

    @field_validator("start_to_close_timeout", "schedule_to_close_timeout", "heartbeat_timeout", mode="wrap")
    @classmethod
    def _is_a_length(cls, given: object, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> timedelta | None:
        # Pydantic reads a number as seconds. Only JSON may use that, because it has no timedelta.
        length = given if info.mode == "python" and isinstance(given, int | float) else read(given)
        field = cast(str, info.field_name)
        if length is not None and (problem := length_problem(field, length)):
            raise InputInvalid(problem, ErrorDetail(field=field))
        return cast(timedelta | None, length)

    @field_validator("retry_policy")
    @classmethod
    def _can_be_sent(cls, policy: RetryPolicy | None) -> RetryPolicy | None:
        """Refuse policies that Temporal rejects when the call is scheduled: the workflow task would fail for ever."""
        if policy and (problem := _problem(policy)):
            raise InputInvalid(f"retry_policy: {problem}", ErrorDetail(field="retry_policy"))
        return policy


class CallArguments(TypedDict, total=False):
    """The fields of `CallOptions` as keyword arguments."""

    start_to_close_timeout: timedelta  # of one attempt
    schedule_to_close_timeout: timedelta  # of all attempts
    heartbeat_timeout: timedelta  # between two heartbeats
    retry_policy: RetryPolicy
    task_queue: str
    priority: Priority


class Tool(ABC, Generic[P, R]):
    """A tool in workflow code: `flow.call_tool` runs it as an activity of its name. `@tool` makes one."""

    name: str
    options: CallOptions
    """Options of its activity."""
    approval: bool
    """True if a workflow asks for approval before it calls the tool."""
    effect: bool
    """True if a call changes something outside, which a fork must not repeat unasked."""

    @property
    @abstractmethod
    def spec(self) -> ToolSpec:
        """The tool as a model sees it."""

    @abstractmethod
    def bind(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:  # Any: arguments of every type
        """Bind arguments to the parameters by name.

        Raises:
            ToolArgumentsInvalid: they do not fit the signature; the message names the parameter.
        """

    @abstractmethod
    def checked(self, arguments: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Validate arguments that a model wrote, and return them by name, as JSON values of the parameters' types.

        Raises:
            ToolArgumentsInvalid: they do not fit the signature; the message names the parameter.
        """

    @abstractmethod
    def read(self, result: bytes) -> R:
        """Decode the result of the activity from JSON.

        Raises:
            ToolOutputInvalid: the result does not have the declared type.
        """


AnyTool = Tool[Any, Any]  # Any: a collection of tools has tools of every signature


def _problem(policy: RetryPolicy) -> str | None:
    if policy.maximum_attempts < 0:
        return f"maximum_attempts={policy.maximum_attempts}: give 1 or more, or 0 for no limit"
    if policy.backoff_coefficient < 1:
        return f"backoff_coefficient={policy.backoff_coefficient}: give 1 or more"
    if policy.initial_interval < timedelta(0):
        return f"initial_interval={policy.initial_interval}: give a time above 0"
    if policy.maximum_interval is not None and policy.maximum_interval < policy.initial_interval:
        return f"maximum_interval={policy.maximum_interval}: give no less than initial_interval"
    return None
