"""Waits of days in seconds, on a server that cannot skip time."""

import asyncio
from typing import Any

from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)


def compressed_time(factor: float) -> Interceptor:
    """Makes every timer of a workflow shorter by `factor`: with 86400, a wait of three days takes three seconds.

    `workflow.now()` does not jump, and the time limits of activities stay as they are. A server's timers tick about
    once a second. The history replays without it.
    """

    class Compressed(WorkflowInboundInterceptor):
        async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # Any: the workflow's own result
            """Wrap the timers of this workflow's event loop. The method is private to the SDK; a test pins it."""
            loop: Any = asyncio.get_running_loop()  # Any: Temporal's own event loop, which has no public type
            original = loop._timer_impl

            def shorter(delay: float, *args: Any, **options: Any) -> Any:  # Any: a private signature, passed on
                return original(delay / factor, *args, **options)

            loop._timer_impl = shorter
            return await super().execute_workflow(input)

    class Compress(Interceptor):
        def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
            """See base class."""
            return Compressed

    return Compress()
