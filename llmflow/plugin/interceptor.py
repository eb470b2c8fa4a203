"""The interceptor that gives a workflow its `CurrentRun` and sends the run's headers."""

import asyncio
import inspect
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar, cast
from zlib import decompress

from temporalio import workflow
from temporalio.api.common.v1 import Payload, Payloads
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
from llmflow.flow.branches.branches import end_branches, one_error
from llmflow.flow.execute import ends_if_cancelled
from llmflow.flow.failures import unwritable_is_invalid
from llmflow.flow.functions import is_method
from llmflow.flow.misfits import misfit_of
from llmflow.flow.run import Code, CurrentRun, Host, Instance, elsewhere, key
from llmflow.flow.run.instance import instance
from llmflow.flow.run.part import AnyHeader
from llmflow.flow.run.start import is_ours
from llmflow.sdk.definitions import Definition
from llmflow.sdk.inputs import judge_input
from llmflow.sdk.running import run_info
from llmflow.types import wire
from llmflow.types.batches import Batch
from llmflow.types.problems import misfit

S = TypeVar("S", StartActivityInput, StartLocalActivityInput)
Handle = workflow.ActivityHandle[Any]  # Any: activities of every type


class RunInterceptor(Interceptor):
    """Gives every workflow that uses llmflow its `CurrentRun`."""

    def __init__(self, host: Host, served: Sequence[type]) -> None:
        """Configure.

        Args:
            host: The worker. Workflows of its Apps have a run from their start; others have one if llmflow started
                them, or from their first verb.
            served: All workflows of the worker; any may fan out in batches.
        """
        self._host = host
        self._served = {one.name: one for one in map(Definition, served)}

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """See base class."""

        class Inbound(_Inbound):
            host = self._host
            served = self._served

        return Inbound


class _Inbound(WorkflowInboundInterceptor):
    host: Host
    served: Mapping[str | None, Definition]

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """Make the run in `init`, before signals, updates, `__init__` and `run`."""
        self._instance = Instance(self.host)
        info = run_info()
        if self._is_of_an_app(info.workflow_type):
            judge_input(lambda error, is_replaying: _unfit(misfit(error), info, is_replaying))
            self._instance.install(info)
        elif is_ours(info):
            self._instance.install(info)
        self._works_for = self._fanning_out() if info.workflow_type == wire.BATCH else None
        super().init(_Outbound(outbound, self._instance, self.host))

    def _is_of_an_app(self, type: str) -> bool:
        """True for a workflow of an App, also if its dynamic one serves the type."""
        return type in self.host.apps or (None in self.host.apps and type not in self.served)

    def _fanning_out(self) -> Definition | None:
        """Return the workflow that fans out into this batch, imported in the sandbox like that of any run."""
        if (run := self._instance.run) is None or (name := run.origin.workflow) is None:
            return None
        if (found := self.served.get(name) or self.served.get(None)) is None:
            raise ApplicationError(  # fails only the workflow task, like Temporal's own: another worker may have it
                f"a batch of `{name}`, which is not registered on this worker: give all workers of a task queue the"
                " same workflows",
                type="NotFoundError",
            )
        return found.in_sandbox()

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # Any: the workflow's own result
        """Fail a new run whose input does not fit: Temporal would retry its workflow task for ever."""
        instance.set(self._instance)
        self._instance.begin(self._code(input), run_info().get_current_history_length())
        if run := self._instance.run:
            signature = inspect.signature(input.run_fn) if run.is_batch else run.signature
            try:
                signature.bind(None, *input.args)
            except TypeError as error:
                unfit = InputInvalid(f"workflow {run_info().workflow_type}: {error}")
                raise _unfit(unfit, run_info(), workflow.unsafe.is_replaying()) from None
        try:
            with self._one_failure():
                result = await super().execute_workflow(input)
        except (
            Exception,
            asyncio.CancelledError,
        ) as error:  # not the BaseException that Temporal throws into an evicted run
            if is_cancelled_exception(error) or workflow.is_failure_exception(error):
                await self._end(error)
            raise
        await self._end()
        if run := self._instance.run:
            run.admission.measured(result)
        return result

    def _code(self, input: ExecuteWorkflowInput) -> Code:
        """Return the code that the run executes.

        Raises:
            InputInvalid: the run is a batch, but no run has started it.
        """
        if run_info().workflow_type != wire.BATCH:
            own = Definition(input.type)
            return Code(method=input.run_fn, make=own.make, arguments=own.listed(input.args))
        match self._works_for, input.args:
            case Definition() as found, [Batch(function=address), bytes(told)]:
                if not is_method(address):  # it needs no workflow object, so its batch has no input
                    return Code(method=found.method, make=lambda _: object(), arguments=())
                payloads = Payloads.FromString(decompress(told)).payloads
                arguments = workflow.payload_converter().from_payloads(payloads, found.types_of(len(payloads)))
                return Code(method=found.method, make=found.make, arguments=arguments)
            case _:
                raise InputInvalid(f"only `flow.fan_out` starts `{wire.BATCH}`: start the workflow that fans out")

    async def _end(self, error: BaseException | None = None) -> None:
        if (run := self._instance.run) is None:
            return
        try:
            await end_branches(run)
        except CompensationFailed as failure:
            run.end(failure)
            raise failure from error
        except (Exception, asyncio.CancelledError) as failure:
            run.end(failure)
            raise
        run.end(error)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        """See base class."""
        instance.set(self._instance)
        input.args = _one_value(input.signal, input.args)
        with self._one_failure():
            await super().handle_signal(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        """See base class."""
        input.args = _one_value(input.update, input.args)
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # Any: the handler's own result
        """See base class."""
        instance.set(self._instance)
        with self._one_failure():
            return await super().handle_update_handler(input)

    @contextmanager
    def _one_failure(self) -> Generator[None]:
        """Apply `one_error` if there is a run. After a saga compensated because of a bug, fail the run with the bug."""
        failure: BaseException
        try:
            yield
            return
        except (Exception, BaseExceptionGroup) as error:  # of any class, from user code
            if (run := self._instance.run) is None:
                raise
            failure = error
        try:  # outside of `except`, so that a group does not become the cause of its own part
            with one_error():
                raise failure
        except Exception as error:  # of any class
            if not run.sagas.is_undone or workflow.is_failure_exception(error):
                raise
            raise ApplicationError(str(error), type=type(error).__name__, non_retryable=True) from error


class _Outbound(WorkflowOutboundInterceptor):
    """Sets the run's headers on activities, children and continue-as-new runs."""

    def __init__(self, next: WorkflowOutboundInterceptor, instance: Instance, host: Host) -> None:
        super().__init__(next)
        self._instance = instance
        self._host = host

    def start_activity(self, input: StartActivityInput) -> Handle:
        """See base class."""
        own_queue = run_info().task_queue
        if input.activity in self._host.tools and input.task_queue in (None, own_queue):  # called by its name
            input.task_queue = self._host.calls_queue(own_queue)
        if run := self._at_work():
            for value in input.args:
                if not isinstance(value, RawValue):  # llmflow's own are measured
                    run.admission.measured(value)
            _add(input, run.for_activity(input.activity_id, input.activity, is_local=False))
            input.disable_eager_execution = input.disable_eager_execution or elsewhere.get()
        return _waited_for(input, super().start_activity)

    def start_local_activity(self, input: StartLocalActivityInput) -> Handle:
        """See base class."""
        if run := self._at_work():
            _add(input, run.for_activity(input.activity_id, input.activity, is_local=True))
        return _waited_for(input, super().start_local_activity)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        """See base class. Any: the child's own types."""
        if run := self._at_work():
            _add(input, run.for_child(input.workflow))
            size = sum(run.admission.measured(value)[1] for value in input.args)
            await run.admission.admit_child(size + sum(one.ByteSize() for one in input.headers.values()))
        return await super().start_child_workflow(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        """See base class. Encoding errors are raised here: Temporal would lose them and block the run.

        Raises:
            InputInvalid: a saga is open, or a value cannot be written as JSON.
            PayloadTooLarge: a value is too large for Temporal.
        """
        if run := self._instance.run:
            run.sagas.require_none("continue_as_new")
            with unwritable_is_invalid():
                for value in (*input.args, *(input.memo or {}).values()):
                    run.admission.measured(value)
            _add(input, run.for_next())
            run.publish()
        super().continue_as_new(input)

    def _at_work(self) -> CurrentRun | None:
        self._instance.work()
        return self._instance.run


def _unfit(error: InputInvalid, info: workflow.Info, is_replaying: bool) -> Exception:
    """Return the error for an input that does not fit: of a new run, final. An open run had one that fitted.

    So had a run that continues another one, which has written its input with code that may still be deployed.
    """
    return error if info.continued_run_id is None and not is_replaying else misfit_of("the input", error.message)


def _waited_for(input: S, start: Callable[[S], Handle]) -> Handle:
    """In a saga, await the end of a cancelled activity, because an in-flight action must not be compensated.

    A `cancellation_type` set by the author stays.
    """
    if key.get() is None or input.cancellation_type is not ActivityCancellationType.TRY_CANCEL:
        return start(input)
    input.cancellation_type = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED

    async def end_of(handle: Handle) -> object:
        with ends_if_cancelled():
            return await handle

    return cast(Handle, asyncio.create_task(end_of(start(input))))  # a handle is just a task


def _one_value(name: str, sent: Sequence[Any]) -> Sequence[Any]:  # Any: a RawValue, or other values
    """Pass one value to llmflow's handlers: no value, or several, become an empty one, which they refuse."""
    return sent if len(sent) == 1 or not name.startswith(f"{wire.PREFIX}.") else [RawValue(Payload())]


def _add(
    input: StartActivityInput | StartLocalActivityInput | StartChildWorkflowInput | ContinueAsNewInput,
    told: Mapping[AnyHeader, object],
) -> None:
    converter = workflow.payload_converter()
    headers = dict(input.headers)
    for header, value in told.items():
        headers.update(header.write(value, converter))
    input.headers = headers
