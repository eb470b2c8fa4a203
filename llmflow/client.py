"""The client: start runs, watch them, get their results.

All of it is also possible with a plain Temporal client, the `temporal` CLI and the Web UI.
"""

import base64
import binascii
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Required, TypedDict, TypeVar, Unpack, overload

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
)
from temporalio.client import Client as TemporalClient
from temporalio.client import (
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    TerminatedError,
    TimeoutError,
    WorkflowAlreadyStartedError,
)
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode
from temporalio.types import MethodAsyncNoParam, MethodAsyncSingleParam

from llmflow.app import App
from llmflow.errors import (
    ConfigInvalid,
    ErrorDetail,
    InputInvalid,
    LLMFlowError,
    NoWorker,
    RunExists,
    RunNotCompleted,
    RunNotFound,
    ServerUnavailable,
)
from llmflow.plugin import LLMFlowPlugin
from llmflow.types.contracts import STEPS, USAGE, Query
from llmflow.types.runs import PendingCall, RunPage, RunState, RunStatus
from llmflow.types.steps import StepRecord
from llmflow.types.usage import UsageReport

In = TypeVar("In")
Out = TypeVar("Out")
Answer = TypeVar("Answer")

ANSWER_WITHIN = timedelta(seconds=10)
"""How long a query may take. Without a worker on the run's task queue it gets no answer at all."""

_TAGS = "llmflow.tags"
_NONE = object()  # told apart from None, which a workflow may take as its input


class StartOptions(TypedDict, total=False):
    """How to start a run. Only `id` is required."""

    id: Required[str]
    """Names the run. Starting the same id again gives the run that exists, so a start may be repeated safely."""
    task_queue: str
    """Where its workers are; the App's own if the client was connected with one."""
    conflict: WorkflowIDConflictPolicy
    """If a run of this id is running: use it (default), fail, or terminate it."""
    reuse: WorkflowIDReusePolicy
    """If a run of this id is closed: use it (default, as reject duplicate), or start again."""
    delay: timedelta
    """Start this much later."""
    timeout: timedelta
    """Of the whole run. Temporal then ends it from outside: no compensation and no clean-up run any more."""
    tags: Sequence[str]
    """Free text to tell runs apart later."""
    summary: str
    """One line about the run, for the Web UI."""


async def connect(
    app: App | None = None,
    *,
    address: str | None = None,
    namespace: str | None = None,
    profile: str | None = None,
    api_key: str | None = None,
    plugin: LLMFlowPlugin | None = None,
    runtime: Runtime | None = None,
) -> "Client":
    """Connect to Temporal: by its own environment variables and profiles, and by what is given here.

    Args:
        app: Runs start on its task queue.
        address: `host:port`, instead of `TEMPORAL_ADDRESS` or the profile's.
        namespace: Instead of `TEMPORAL_NAMESPACE` or the profile's; `default` if nobody says.
        profile: Of Temporal's configuration file, instead of `TEMPORAL_PROFILE`; it also holds TLS settings.
        api_key: Instead of `TEMPORAL_API_KEY`; TLS is then on.
        plugin: One with activities, for a worker.
        runtime: Temporal's, for metrics.

    Raises:
        ServerUnavailable: nothing answers there.
        ConfigInvalid: there is no such profile, or the address is malformed.
    """
    config = _temporal_config(profile)
    target = address or config.get("target_host", "localhost:7233")
    key = api_key or config.get("api_key")
    try:
        temporal = await TemporalClient.connect(
            target,
            namespace=namespace or config.get("namespace", "default"),
            api_key=key,
            tls=config.get("tls", key is not None),
            rpc_metadata=config.get("rpc_metadata", {}),
            plugins=[plugin or LLMFlowPlugin(app)],
            runtime=runtime,
        )
    except ValueError as error:
        raise ConfigInvalid(f"Temporal address {target!r}: {error}; write it as host:port") from None
    except RuntimeError as error:
        raise ServerUnavailable(
            f"no Temporal server answers at {target}: start one with `llmflow dev`, or set TEMPORAL_ADDRESS ({error})"
        ) from None
    return Client(temporal, app.task_queue if app else None)


def configured_address() -> str | None:
    """The address that Temporal's own environment variables and profiles name, if they name one.

    Raises:
        ConfigInvalid: there is no such profile.
    """
    return _temporal_config(None).get("target_host")


def _temporal_config(profile: str | None) -> ClientConnectConfig:
    try:
        return ClientConfig.load_client_connect_config(profile)
    except RuntimeError as error:
        raise ConfigInvalid(f"Temporal's configuration: {error}; see `temporal config list`") from None


class Client:
    """Starts and finds runs. `connect` makes one."""

    def __init__(self, temporal: TemporalClient, task_queue: str | None = None) -> None:
        self.temporal = temporal
        """Temporal's own client, for everything that is not here."""
        self.task_queue = task_queue
        """Where runs start if `start` does not say."""

    @overload
    async def start(
        self, workflow: MethodAsyncNoParam[Any, Out], **options: Unpack[StartOptions]
    ) -> "Run[Out]": ...  # Any: the workflow's own class

    @overload
    async def start(
        self, workflow: MethodAsyncSingleParam[Any, In, Out], input: In, **options: Unpack[StartOptions]
    ) -> "Run[Out]": ...

    @overload
    async def start(self, workflow: str, input: object = ..., **options: Unpack[StartOptions]) -> "Run[Any]": ...

    async def start(self, workflow: Any, input: Any = _NONE, **options: Unpack[StartOptions]) -> "Run[Any]":
        """Start a run, or get the one that has this id already.

        Args:
            workflow: The run method, such as `ResearchAssistant.run`, or the workflow's name.
            input: Its one argument, if it takes one.
            **options: See `StartOptions`.

        Raises:
            RunExists: a run of that id exists, and `conflict` or `reuse` says not to use it.
            ConfigInvalid: no task queue was given, here or by an App.
            PayloadTooLarge: the input does not fit Temporal; nothing was sent.
        """
        task_queue = options.get("task_queue", self.task_queue)
        if task_queue is None:
            raise ConfigInvalid("where should the run go? use connect(app), or start(..., task_queue=...)")
        tags = list(options.get("tags", ()))
        try:
            handle = await self.temporal.start_workflow(
                workflow,
                args=() if input is _NONE else (input,),
                id=options["id"],
                task_queue=task_queue,
                id_conflict_policy=options.get("conflict", WorkflowIDConflictPolicy.USE_EXISTING),
                id_reuse_policy=options.get("reuse", WorkflowIDReusePolicy.REJECT_DUPLICATE),
                start_delay=options.get("delay"),
                execution_timeout=options.get("timeout"),
                memo={_TAGS: tags} if tags else None,
                static_summary=options.get("summary"),
            )
        except WorkflowAlreadyStartedError as error:
            if "conflict" in options or "reuse" in options:
                raise RunExists(f"run {options['id']!r} exists already: choose another id, or another policy") from None
            return self.run(options["id"], error.run_id)
        return Run(handle)

    def run(self, id: str, run_id: str | None = None) -> "Run[Any]":
        """The run of an id: the newest, or the one with `run_id`. Nothing is asked of the server yet."""
        return Run(self.temporal.get_workflow_handle(id, run_id=run_id))

    async def list(
        self,
        *,
        workflow: str | None = None,
        state: RunState | None = None,
        since: datetime | None = None,
        query: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> RunPage:
        """Runs, newest first.

        Args:
            workflow: Only of this workflow type.
            state: Only in this state.
            since: Only started at or after this moment.
            query: More of Temporal's list filter, such as `WorkflowId STARTS_WITH 'research-'`.
            limit: At most this many, 1 to 1000.
            cursor: That of the page before.

        Raises:
            InputInvalid: the filter, the limit or the cursor cannot be used; says why.
        """
        if not 1 <= limit <= 1000:
            raise InputInvalid(f"limit={limit}: give 1 to 1000", ErrorDetail(field="limit"))
        filters = [
            f"WorkflowType = '{_quoted(workflow)}'" if workflow else None,
            f"ExecutionStatus = '{_STATUS[state]}'" if state else None,
            f"StartTime >= '{since.isoformat()}'" if since else None,
            f"({query})" if query else None,
        ]
        found = self.temporal.list_workflows(
            " AND ".join(one for one in filters if one), page_size=limit, next_page_token=_token(cursor)
        )
        async with _errors("this filter"):
            await found.fetch_next_page()
        page = [await _status(one) for one in found.current_page or ()]
        following = found.next_page_token
        return RunPage(runs=tuple(page), cursor=base64.urlsafe_b64encode(following).decode() if following else None)

    async def server_version(self) -> str:
        """Version of the Temporal server, after a look that the namespace exists there.

        Raises:
            ConfigInvalid: there is no such namespace.
        """
        namespace = self.temporal.namespace
        try:
            await self.temporal.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise _rpc_error(error, namespace) from error
            raise ConfigInvalid(
                f"Temporal has no namespace {namespace!r}: `temporal operator namespace create -n {namespace}` makes "
                "it, or set TEMPORAL_NAMESPACE to one that exists"
            ) from None
        return (await self.temporal.workflow_service.get_system_info(GetSystemInfoRequest())).server_version

    async def workers(self, task_queue: str) -> int:
        """How many workers wait for work on this task queue."""
        found = await self.temporal.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=self.temporal.namespace,
                task_queue=TaskQueue(name=task_queue),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            )
        )
        # A worker asks at least once a minute. The server also names those that have been gone for longer.
        since = datetime.now(UTC) - timedelta(seconds=75)
        alive = (one for one in found.pollers if one.last_access_time.ToDatetime(UTC) > since)
        return len({one.identity for one in alive})


class Run(Generic[Out]):
    """One run, by its id."""

    def __init__(self, handle: WorkflowHandle[Any, Out]) -> None:
        self.handle = handle
        """Temporal's own handle, for everything that is not here."""

    @property
    def id(self) -> str:
        """The workflow id."""
        return self.handle.id

    @property
    def run_id(self) -> str | None:
        """The run id that this object was made for, if for one."""
        return self.handle.run_id or self.handle.result_run_id

    async def result(self) -> Out:
        """Wait for the run to end, and get what it returned.

        Raises:
            RunNotCompleted: it ended otherwise; the message says how, and `__cause__` is the error.
            RunNotFound: no run has this id.
        """
        async with _errors(self.id):
            try:
                return await self.handle.result()
            except WorkflowFailureError as error:
                raise RunNotCompleted(f"run {self.id!r} {_how_it_ended(error.cause)}") from error.cause

    async def status(self) -> RunStatus:
        """Where it stands. Needs no worker.

        Raises:
            RunNotFound: no run has this id.
        """
        async with _errors(self.id):
            return await _status(await self.handle.describe())

    async def usage(self) -> UsageReport:
        """Tokens and money so far, by model and by prompt version.

        Raises:
            NoWorker: nothing polls the run's task queue, so it cannot answer.
            RunNotFound: no run has this id.
        """
        return await self._ask(USAGE)

    async def steps(self) -> tuple[StepRecord, ...]:
        """Its steps, in the order in which they began.

        Raises:
            NoWorker: nothing polls the run's task queue, so it cannot answer.
            RunNotFound: no run has this id.
        """
        return (await self._ask(STEPS)).steps

    async def cancel(self) -> None:
        """Ask it to stop: running calls are cut, and its clean-up code runs.

        Raises:
            RunNotFound: no run has this id, or it has ended.
        """
        async with _errors(self.id):
            await self.handle.cancel()

    async def terminate(self, reason: str) -> None:
        """End it from outside, at once: none of its code runs any more.

        Raises:
            RunNotFound: no run has this id, or it has ended.
        """
        async with _errors(self.id):
            await self.handle.terminate(reason=reason)

    async def _ask(self, query: Query[Answer]) -> Answer:
        async with _errors(self.id):
            return await self.handle.query(query.name, result_type=query.output, rpc_timeout=ANSWER_WITHIN)


_STATUS: dict[RunState, str] = {
    "running": "Running",
    "completed": "Completed",
    "failed": "Failed",
    "cancelled": "Canceled",
    "terminated": "Terminated",
    "continued_as_new": "ContinuedAsNew",
    "timed_out": "TimedOut",
}
_STATE: dict[str, RunState] = {name.upper(): state for state, name in _STATUS.items()}


@asynccontextmanager
async def _errors(what: str) -> AsyncGenerator[None]:
    """Temporal's answers to a client, as errors that say what to do."""
    try:
        yield
    except WorkflowQueryFailedError as error:
        raise NoWorker(
            f"run {what!r} cannot answer: the worker that has it does not use LLMFlowPlugin ({error})"
        ) from error
    except RPCError as error:
        raise _rpc_error(error, what) from error


def _rpc_error(error: RPCError, what: str) -> LLMFlowError | RPCError:
    no_worker = "no worker polls its task queue: start one with `llmflow worker`"
    match error.status:
        case RPCStatusCode.NOT_FOUND:
            return RunNotFound(
                f"there is no open run {what!r} here ({error.message}): `llmflow list` shows those there are"
            )
        case RPCStatusCode.DEADLINE_EXCEEDED | RPCStatusCode.CANCELLED | RPCStatusCode.FAILED_PRECONDITION:
            return NoWorker(f"run {what!r} gave no answer: {no_worker} ({error.message})")
        case RPCStatusCode.INVALID_ARGUMENT:
            return InputInvalid(f"Temporal does not accept {what!r}: {error.message}")
        case RPCStatusCode.UNAVAILABLE:
            return ServerUnavailable(f"the Temporal server does not answer ({error.message})")
        case _:
            return error


def _how_it_ended(cause: BaseException) -> str:
    """Such as `failed: OutputInvalid: the answer does not fit Plan ...`."""
    match cause:
        case CancelledError():
            return "was cancelled"
        case TerminatedError():
            return f"was terminated: {cause}"
        case TimeoutError():
            return "ran out of time"
        case ActivityError() if cause.cause is not None:
            return f"failed in {cause.activity_id}: {_named(cause.cause)}"
        case _:
            return f"failed: {_named(cause)}"


def _named(error: BaseException) -> str:
    name = error.type if isinstance(error, ApplicationError) and error.type else type(error).__name__
    return f"{name}: {error}"


async def _status(found: WorkflowExecution) -> RunStatus:
    memo = await found.memo_value(_TAGS, default=())
    pending: tuple[PendingCall, ...] = ()
    if isinstance(found, WorkflowExecutionDescription):
        pending = tuple(
            PendingCall(
                id=one.activity_id,
                type=one.activity_type.name,
                attempt=one.attempt,
                last_failure=one.last_failure.message or None,
            )
            for one in found.raw_description.pending_activities
        )
    return RunStatus(
        id=found.id,
        run_id=found.run_id,
        workflow=found.workflow_type,
        state=_STATE[found.status.name.replace("_", "")] if found.status else "running",
        task_queue=found.task_queue,
        started_at=found.start_time,
        closed_at=found.close_time,
        events=found.history_length,
        history_bytes=found.raw_info.history_size_bytes,
        tags=tuple(memo),
        pending=pending,
    )


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _token(cursor: str | None) -> bytes | None:
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor, altchars=b"-_", validate=True)
    except binascii.Error:
        raise InputInvalid(f"cursor {cursor!r} is not one that `list` gave", ErrorDetail(field="cursor")) from None
