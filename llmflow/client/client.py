"""Starts and finds runs."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar, Unpack, overload

from temporalio.api.enums.v1 import TaskQueueType, WorkerStatus
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
    ListWorkersRequest,
)
from temporalio.client import Client as TemporalClient
from temporalio.client import ScheduleActionStartWorkflow
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError
from temporalio.types import MethodAsyncNoParam, MethodAsyncSingleParam

from llmflow.client.errors import readable_errors
from llmflow.client.existing import check_same
from llmflow.client.inbox import inbox
from llmflow.client.inputs import check_input
from llmflow.client.options import StartOptions, checked_options, for_a_schedule, temporals_own
from llmflow.client.runs import Run
from llmflow.client.served import ServedWorkflows
from llmflow.client.status import STATUS, in_state, quoted, status_of
from llmflow.errors import ConfigInvalid, ErrorDetail, InputInvalid, RunExists, RunNotFound
from llmflow.history.executions import page_of_runs
from llmflow.plugin.sizes import require_rooms
from llmflow.types.runs import Inbox, RunPage, RunState

In = TypeVar("In")
P = ParamSpec("P")
Out = TypeVar("Out")

_FAIL = WorkflowIDConflictPolicy.FAIL
_USE, _TERMINATE = WorkflowIDConflictPolicy.USE_EXISTING, WorkflowIDConflictPolicy.TERMINATE_EXISTING
_ONCE, _AGAIN = WorkflowIDReusePolicy.REJECT_DUPLICATE, WorkflowIDReusePolicy.ALLOW_DUPLICATE

_STOPPED = (WorkerStatus.WORKER_STATUS_SHUTTING_DOWN, WorkerStatus.WORKER_STATUS_SHUTDOWN)
_NONE = object()  # differs from None, which may be a workflow's input


class Client:
    """Starts and finds runs. `connect` makes one."""

    def __init__(
        self,
        temporal: TemporalClient,
        task_queue: str | None = None,
        store: str | None = None,
        events: str | None = None,
    ) -> None:
        self.temporal = temporal
        """Temporal's own client, for all other requests."""
        self.task_queue = task_queue
        """Default task queue of `start`."""
        self.store = store
        """URL of the store of scores; `None` for a client without scores."""
        self.events = events
        """URL of the place of run events; `None` if that is the store."""
        self._served = ServedWorkflows(store, temporal.namespace)

    @overload
    async def start(
        self, workflow: MethodAsyncNoParam[Any, Out], **options: Unpack[StartOptions]
    ) -> Run[Out]: ...  # Any: the workflow's own class

    @overload
    async def start(
        self, workflow: MethodAsyncSingleParam[Any, In, Out], input: In, **options: Unpack[StartOptions]
    ) -> Run[Out]: ...

    @overload
    async def start(
        self, workflow: Callable[Concatenate[Any, P], Awaitable[Out]], **options: Unpack[StartOptions]
    ) -> Run[Out]: ...

    @overload
    async def start(self, workflow: str, input: object = ..., **options: Unpack[StartOptions]) -> Run[Any]: ...

    async def start(self, workflow: Any, input: Any = _NONE, **options: Unpack[StartOptions]) -> Run[Any]:
        """Start a run, or return the existing run with this id.

        Args:
            workflow: The run method, such as `ResearchAssistant.run`, or the workflow's name.
            input: The argument of a workflow that takes one.
            **options: See `StartOptions`.

        Raises:
            RunExists: a run with this id exists, but of another workflow, or with another input, or the policy
                (`id_conflict_policy` if it is running, `id_reuse_policy` if it is closed) forbids using it.
            ConfigInvalid: no task queue was given, here or by an App; or the namespace does not exist.
            InputInvalid: an option is unknown or invalid, or the input does not fit the workflow; the message says
                why. Of a workflow given by name, the name is checked instead of the input: a worker of the task queue
                must have served it when it last started. Without a list in the store, every name is valid.
            PayloadTooLarge: the input exceeds Temporal's payload limit; nothing was sent.
        """
        arguments, options = self._checked(workflow, input, options)
        await require_rooms(self.temporal.data_converter, arguments)
        conflict = options.get("id_conflict_policy", _USE)
        own: dict[str, Any] = {**temporals_own(options), "args": arguments}  # Any: as Temporal takes them
        if isinstance(workflow, str):  # a class is no misspelling, and may be started before its worker is deployed
            await self._served.check(own["task_queue"], workflow)
        own["id_conflict_policy"] = _FAIL if conflict == _USE else conflict
        # Temporal does not accept TERMINATE_EXISTING together with REJECT_DUPLICATE.
        own["id_reuse_policy"] = options.get("id_reuse_policy", _AGAIN if conflict == _TERMINATE else _ONCE)
        if "start_signal" in options and conflict == _USE:
            own["id_conflict_policy"] = _USE  # otherwise a running run would not get the signal
            await self._check_receiver(workflow, arguments, options)
        try:
            async with readable_errors(options["id"]):
                handle = await self.temporal.start_workflow(workflow, **own)
        except WorkflowAlreadyStartedError as error:
            return await self._existing(workflow, arguments, error, options)
        return Run(handle, self.temporal, self.store, workflow, self.events)

    @overload
    def schedule_action(
        self, workflow: MethodAsyncNoParam[Any, Any], **options: Unpack[StartOptions]
    ) -> ScheduleActionStartWorkflow: ...

    @overload
    def schedule_action(
        self, workflow: MethodAsyncSingleParam[Any, In, Any], input: In, **options: Unpack[StartOptions]
    ) -> ScheduleActionStartWorkflow: ...

    @overload
    def schedule_action(
        self, workflow: Callable[Concatenate[Any, P], Awaitable[Any]], **options: Unpack[StartOptions]
    ) -> ScheduleActionStartWorkflow: ...

    @overload
    def schedule_action(
        self, workflow: str, input: object = ..., **options: Unpack[StartOptions]
    ) -> ScheduleActionStartWorkflow: ...

    def schedule_action(
        self, workflow: Any, input: Any = _NONE, **options: Unpack[StartOptions]
    ) -> ScheduleActionStartWorkflow:
        """Make the action of a Temporal schedule that starts such runs: `Schedule(action=..., spec=...)`.

        Temporal appends the time to the id of each run. Each run has the whole budget.

        Args:
            workflow: As for `start`.
            input: As for `start`.
            **options: As for `start`, without options of a single start.

        Raises:
            ConfigInvalid: no task queue was given, here or by an App.
            InputInvalid: an option is unknown or invalid, or the input does not fit the workflow; the message says why.
        """
        arguments, options = self._checked(workflow, input, options)
        own: dict[str, Any] = {**for_a_schedule(options), "args": arguments}  # Any: as above
        return ScheduleActionStartWorkflow(workflow, **own)

    def _checked(
        self, workflow: Any, input: Any, given: Mapping[str, object]
    ) -> tuple[Sequence[Any], StartOptions]:  # Any: the workflow's own types
        options = checked_options({"task_queue": self.task_queue, **given})
        if "task_queue" not in options:
            raise ConfigInvalid("no task queue: use connect(app), or start(..., task_queue=...)")
        if input is not _NONE and "args" in options:
            raise InputInvalid(
                "the input was given twice: as `input` and in `args`; give one of them", ErrorDetail(field="args")
            )
        arguments = options.get("args", () if input is _NONE else (input,))
        check_input(self.temporal, workflow, arguments)
        return arguments, options

    async def _check_receiver(self, workflow: Any, arguments: Sequence[Any], options: StartOptions) -> None:
        """Check that a running run, which would get the signal, has the same workflow and input."""
        with suppress(RunNotFound):
            found = await self.run(options["id"]).status()
            if found.state == "running":
                await check_same(self.temporal, workflow, arguments, found)

    async def _existing(
        self, workflow: Any, arguments: Sequence[Any], refused: WorkflowAlreadyStartedError, options: StartOptions
    ) -> Run[Any]:
        """Return the existing run, after a check that Temporal does not make: same workflow, same input."""
        found = await self.run(refused.workflow_id, refused.run_id).status()
        running = found.state == "running"
        if options.get("id_conflict_policy", _USE) != _USE if running else "id_reuse_policy" in options:
            policy = "id_conflict_policy" if running else "id_reuse_policy"
            raise RunExists(
                f"run {found.id!r} exists already ({found.state}): choose another id, or another `{policy}`"
            ) from None
        await check_same(self.temporal, workflow, arguments, found)
        which = None if running else found.run_id  # a running one may continue as new
        if isinstance(workflow, str):
            return self.run(found.id, which)
        handle = self.temporal.get_workflow_handle_for(workflow, found.id, run_id=which)
        return Run(handle, self.temporal, self.store, workflow, self.events)

    def run(self, id: str, run_id: str | None = None) -> Run[Any]:
        """Return the latest run of an id, or the one with `run_id`, without a request to the server."""
        return Run(self.temporal.get_workflow_handle(id, run_id=run_id), self.temporal, self.store, events=self.events)

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
        """List runs, newest first.

        Args:
            workflow: Filter by workflow type.
            state: Filter by state.
            since: Filter by start time, inclusive.
            query: A further list filter of Temporal, such as `WorkflowId STARTS_WITH 'research-'`.
            limit: Upper limit, 1 to 1000.
            cursor: Cursor of the previous page.

        Raises:
            InputInvalid: the filter, the state, the limit or the cursor is invalid; the message says why.
        """
        if not 1 <= limit <= 1000:
            raise InputInvalid(f"limit={limit}: give 1 to 1000", ErrorDetail(field="limit"))
        if state is not None and state not in STATUS:
            raise InputInvalid(f"state={state!r}: give one of {', '.join(STATUS)}", ErrorDetail(field="state"))
        filters = [
            f"WorkflowType = {quoted(workflow)}" if workflow else None,
            in_state(state) if state else None,
            f"StartTime >= '{since.isoformat()}'" if since else None,
            f"({query})" if query else None,
        ]
        whole = " AND ".join(one for one in filters if one)
        async with readable_errors(whole or "a list of all runs"):
            found, following = await page_of_runs(self.temporal, whole, limit, _token(cursor))
        page = [await status_of(one) for one in found]
        return RunPage(runs=tuple(page), cursor=base64.urlsafe_b64encode(following).decode() if following else None)

    async def inbox(
        self,
        *,
        approver: str | None = None,
        older_than: timedelta | None = None,
        workflow: str | None = None,
        limit: int = 1000,
    ) -> Inbox:
        """List the open questions of all running runs, the oldest first. No worker is needed.

        It reads memos from Temporal's visibility store, which shows a new question after about a second. If the
        namespace has the search attribute `LlmAwaitingApproval`, it reads only runs with open questions, otherwise all
        running runs. A run whose memo this client cannot decode is named in `Inbox.unreadable`.

        Args:
            approver: Filter: questions that this person may decide and has not approved yet.
            older_than: Filter: questions at least this old.
            workflow: Filter by workflow type.
            limit: Upper limit of questions, 1 or more.

        Raises:
            InputInvalid: the limit is less than 1.
            ServerUnavailable: the server does not answer.
        """
        if limit < 1:
            raise InputInvalid(f"limit={limit}: give 1 or more", ErrorDetail(field="limit"))
        return await inbox(self.temporal, approver, older_than, workflow, limit)

    async def server_version(self) -> str:
        """Return the version of the Temporal server, after a check that the namespace exists.

        Raises:
            ConfigInvalid: the namespace does not exist.
        """
        asked = DescribeNamespaceRequest(namespace=self.temporal.namespace)
        async with readable_errors(asked.namespace):
            await self.temporal.workflow_service.describe_namespace(asked)
            return (await self.temporal.workflow_service.get_system_info(GetSystemInfoRequest())).server_version

    async def workers(self, task_queue: str, *, activities: bool = False) -> int:
        """Count the workers that poll a task queue for workflow tasks; or for activities, such as calls of tools."""
        kind = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY if activities else TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
        asked = DescribeTaskQueueRequest(
            namespace=self.temporal.namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=kind,
        )
        async with readable_errors(task_queue):
            found = await self.temporal.workflow_service.describe_task_queue(asked)
        # A worker polls at least once a minute. The server also lists workers that stopped earlier.
        since = datetime.now(UTC) - timedelta(seconds=75)
        polls = {one.identity: one.last_access_time.ToDatetime(UTC) for one in found.pollers}
        recent = {identity: at for identity, at in polls.items() if at > since}
        stopped: Mapping[str, datetime] = await self._stopped(task_queue) if recent else {}
        return sum(identity not in stopped or at > stopped[identity] for identity, at in recent.items())

    async def _stopped(self, task_queue: str) -> Mapping[str, datetime]:
        """Return the identities whose workers of a task queue have all told the server that they stop, and when.

        A worker that started after that with the same identity is only listed after its first minute.
        """
        asked = ListWorkersRequest(namespace=self.temporal.namespace, query=f"TaskQueue = {quoted(task_queue)}")
        try:
            listed = (await self.temporal.workflow_service.list_workers(asked)).workers_info
        except RPCError:  # an older server, or a role that may not list workers: no worker is known to have stopped
            return {}
        heartbeats = sorted((one.worker_heartbeat for one in listed), key=_sent_at)
        serving = {one.worker_identity for one in heartbeats if one.status not in _STOPPED}
        return {one.worker_identity: _sent_at(one) for one in heartbeats if one.worker_identity not in serving}


def _sent_at(heartbeat: WorkerHeartbeat) -> datetime:
    return heartbeat.heartbeat_time.ToDatetime(UTC)


def _token(cursor: str | None) -> bytes | None:
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor, altchars=b"-_", validate=True)
    except binascii.Error:
        raise InputInvalid(
            f"cursor {cursor!r} is invalid: give the `cursor` of a page of `list`", ErrorDetail(field="cursor")
        ) from None
