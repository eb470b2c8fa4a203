"""Every workflow gets its `Run`, and what it hands on, with no code of the user's."""

import asyncio
import copy
import inspect
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar, cast

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, is_cancelled_exception
from temporalio.worker import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ActivityCancellationType

from llmflow.errors import CompensationFailed, InputInvalid
from llmflow.flow._batch import run_batch
from llmflow.flow._branches import end_branches, one_error
from llmflow.flow._carry import taken_batch
from llmflow.flow._execute import ends_if_cancelled
from llmflow.flow._run import Run, key
from llmflow.plugin._loop import explain_what_is_missing
from llmflow.plugin._tasks import order_tasks
from llmflow.types.carried import HEADER
from llmflow.types.contracts import DECIDE, SPENT

S = TypeVar("S", StartActivityInput, StartLocalActivityInput)
Handle = workflow.ActivityHandle[Any]  # Any: activities of every type


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
        order_tasks()
        explain_what_is_missing()
        self._run.take_over()
        self._run.asked()  # what the run before has left open: Temporal hands on the memo of the start alone
        self._run.machines.arguments = copy.deepcopy(input.args)  # before code of the user changes them
        self._run.signature = inspect.signature(input.run_fn)
        try:
            self._run.signature.bind(None, *input.args)
        except TypeError as error:
            raise InputInvalid(f"workflow {workflow.info().workflow_type}: {error}") from None
        self._run.batch = batch = taken_batch()
        try:
            with self._one_failure():
                result = await (run_batch(batch) if batch else super().execute_workflow(input))
        except (Exception, asyncio.CancelledError) as error:  # not what Temporal throws into a run that leaves memory
            if is_cancelled_exception(error) or workflow.is_failure_exception(error):
                await self._end(error)
            raise
        await self._end()
        return result

    async def _end(self, error: BaseException | None = None) -> None:
        try:
            await end_branches(self._run)
        except CompensationFailed as failure:
            raise failure from error
        finally:
            self._run.end()

    async def handle_signal(self, input: HandleSignalInput) -> None:
        """See base class."""
        if input.signal == DECIDE.name:
            input.args = _one_value(input.args)
        if input.signal == SPENT.name and len(input.args) != 1:
            return  # no child of ours sends it so
        with self._one_failure():
            await super().handle_signal(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        """See base class."""
        if input.update == DECIDE.name:
            input.args = _one_value(input.args)
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # Any: the handler's own result
        """See base class."""
        with self._one_failure():
            return await super().handle_update_handler(input)

    @contextmanager
    def _one_failure(self) -> Generator[None]:
        """`one_error`; and no standing still until repaired code comes where none can fit the history any more."""
        try:
            with one_error():
                yield
        except Exception as error:  # whatever the bug raises
            if not self._run.undone or workflow.is_failure_exception(error):
                raise
            raise ApplicationError(str(error), type=type(error).__name__, non_retryable=True) from error


class _HandOn(WorkflowOutboundInterceptor):
    """Children and continued runs take over what their run knows, with no code of the user's."""

    def __init__(self, next: WorkflowOutboundInterceptor, run: Run) -> None:
        super().__init__(next)
        self._run = run

    def start_activity(self, input: StartActivityInput) -> Handle:
        """See base class."""
        input.headers = {**input.headers, **_encoded(self._run.for_activity(input.activity_id))}
        return _waited_for(input, super().start_activity)

    def start_local_activity(self, input: StartLocalActivityInput) -> Handle:
        """See base class."""
        input.headers = {**input.headers, **_encoded(self._run.for_effect(input.activity_id))}
        return _waited_for(input, super().start_local_activity)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        """See base class. Any: the child's own types."""
        input.headers = {**input.headers, **_encoded(self._run.for_child(input.workflow))}
        payloads = workflow.payload_converter().to_payloads(input.args)
        await self._run.admit_child(sum(one.ByteSize() for one in (*payloads, *input.headers.values())))
        return await super().start_child_workflow(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        """See base class. What cannot be sent is raised here: Temporal would lose the error, and hang the run."""
        workflow.payload_converter().to_payloads([*input.args, *(input.memo or {}).values()])
        input.headers = {**input.headers, **_encoded({HEADER: self._run.for_next()})}
        self._run.publish()
        super().continue_as_new(input)


def _waited_for(input: S, start: Callable[[S], Handle]) -> Handle:
    """In a saga, whoever is cancelled waits for the end of the activity: what is still being done must not be undone.

    Unless its author says what else is right.
    """
    if key.get() is None or input.cancellation_type is not ActivityCancellationType.TRY_CANCEL:
        return start(input)
    input.cancellation_type = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED

    async def end_of(handle: Handle) -> object:
        with ends_if_cancelled():
            return await handle

    return cast(Handle, asyncio.create_task(end_of(start(input))))  # a task is all that a handle is


def _one_value(sent: Sequence[Any]) -> Sequence[Any]:  # Any: a RawValue, or what else was sent
    """A decision that is sent as no value, or as several, must not get the run stuck: it is refused like others."""
    return sent if len(sent) == 1 else [RawValue(Payload())]


def _encoded(told: Mapping[str, object]) -> dict[str, Payload]:
    converter = workflow.payload_converter()
    return {name: converter.to_payload(value) for name, value in told.items()}
