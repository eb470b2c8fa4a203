"""Every workflow gets its `Run`, and what it hands on, with no code of the user's."""

import asyncio
import inspect
from collections.abc import Mapping
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.worker import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    StartActivityInput,
    StartChildWorkflowInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from llmflow.errors import InputInvalid
from llmflow.flow._batch import run_batch
from llmflow.flow._branches import one_error
from llmflow.flow._carry import taken_batch
from llmflow.flow._run import Run
from llmflow.types.carried import HEADER, Carried
from llmflow.types.contracts import DECIDE, SPENT


class RunInterceptor(Interceptor):
    """Gives every workflow its `Run`, with no code of the user's."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """See base class."""
        return _InstallRun


class _InstallRun(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """In `init`, because a query or an update may come before the first line of the workflow runs."""
        self._run = Run()
        self._run.install()
        super().init(_HandOn(outbound, self._run))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # Any: the workflow's own result
        """Fail a run that was started with what does not fit. Temporal would try its task for ever."""
        self._run.take_over()
        self._run.asked()  # what the run before has left open: Temporal hands on the memo of the start alone
        self._run.machines.arguments = input.args
        try:
            inspect.signature(input.run_fn).bind(None, *input.args)
        except TypeError as error:
            raise InputInvalid(f"workflow {workflow.info().workflow_type}: {error}") from None
        self._run.batch = batch = taken_batch()
        try:
            with one_error():
                result = await (run_batch(batch) if batch else super().execute_workflow(input))
        except (Exception, asyncio.CancelledError):  # not what Temporal throws into a run that leaves its memory
            self._run.end()
            raise
        self._run.end()
        return result

    async def handle_signal(self, input: HandleSignalInput) -> None:
        """A decision that is sent as no value, or as several, must not get the run stuck: it is refused like others."""
        if input.signal == DECIDE.name and len(input.args) != 1:
            input.args = [RawValue(Payload())]
        if input.signal == SPENT.name and len(input.args) != 1:
            return  # no child of ours sends it so
        with one_error():
            await super().handle_signal(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # Any: the handler's own result
        """See base class."""
        with one_error():
            return await super().handle_update_handler(input)


class _HandOn(WorkflowOutboundInterceptor):
    """Children and continued runs take over what their run knows, with no code of the user's."""

    def __init__(self, next: WorkflowOutboundInterceptor, run: Run) -> None:
        super().__init__(next)
        self._run = run

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        """See base class. Any: the activity's own type."""
        input.headers = self._told(input)
        return super().start_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        """See base class. Any: the child's own types."""
        input.headers = _with_ours(input.headers, self._run.for_child(input.workflow))
        input.headers = {**input.headers, **_encoded(self._run.for_batch())}
        payloads = workflow.payload_converter().to_payloads(input.args)
        await self._run.admit_child(sum(one.ByteSize() for one in (*payloads, *input.headers.values())))
        return await super().start_child_workflow(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        """See base class."""
        input.headers = _with_ours(input.headers, self._run.for_next())
        self._run.publish()
        super().continue_as_new(input)

    def _told(self, input: StartActivityInput) -> Mapping[str, Payload]:
        return {**input.headers, **_encoded(self._run.for_activity(input.activity_id))}


def _encoded(told: Mapping[str, object]) -> dict[str, Payload]:
    converter = workflow.payload_converter()
    return {name: converter.to_payload(value) for name, value in told.items()}


def _with_ours(headers: Mapping[str, Payload], carried: Carried) -> dict[str, Payload]:
    return {**headers, HEADER: workflow.payload_converter().to_payload(carried)}
