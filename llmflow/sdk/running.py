"""Information about the run of the calling workflow code, without the interceptors of others."""

from typing import Any, cast

from temporalio import workflow


def run_info() -> workflow.Info:
    """Return what `workflow.info()` does; that one goes through every interceptor, and a user's would see the call.

    It works in an interceptor's `init`, too.
    """
    info: workflow.Info = cast(Any, workflow)._Runtime.current()._info  # Any: the SDK's workflow instance
    return info
