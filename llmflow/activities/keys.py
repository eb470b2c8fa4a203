"""Sets the idempotency key of every activity."""

from contextvars import ContextVar
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from llmflow.tools.keys import key
from llmflow.types.addresses import joined
from llmflow.types.contracts import KEY, RUN

in_saga: ContextVar[bool] = ContextVar("llmflow_in_saga", default=False)
"""True in an activity that is an action of a saga, or its compensation."""


class Keys(Interceptor):
    """Interceptor that sets the key for `llmflow.tools.idempotency_key`."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See base class."""
        return _WithKey(next)


class _WithKey(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # Any: the activity's own result
        # Never reset: each activity runs in its own task.
        key.set(_key(input))
        in_saga.set(KEY.name in input.headers)
        return await super().execute_activity(input)


def _key(input: ExecuteActivityInput) -> str:
    """Return the key given by a saga, else one of the activity's run and address."""
    converter, info = activity.payload_converter(), activity.info()
    if shared := KEY.read(input.headers, converter):
        return shared
    if beginning := RUN.read(input.headers, converter):
        own = () if "/" in beginning else (info.workflow_id or "",)
        return joined((*own, beginning, info.activity_id))
    # A Temporal client can start an activity without a workflow; then the activity is its own run.
    run = info.workflow_run_id or info.activity_run_id or ""
    return joined(filter(None, (info.workflow_id, run, info.activity_id)))
