"""Options of `Client.start`, checked before anything is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Required

from pydantic import ConfigDict, InstanceOf, TypeAdapter, ValidationError, with_config
from temporalio.common import (
    Priority,
    RetryPolicy,
    TypedSearchAttributes,
    VersioningOverride,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from typing_extensions import TypedDict  # pydantic reads that of `typing` from Python 3.12 on

from llmflow.errors import ErrorDetail, InputInvalid, did_you_mean
from llmflow.types.budgets import Budget
from llmflow.types.contracts import BUDGET, TAGS, TENANT, USER
from llmflow.types.problems import message_of, problems_of

_MAX_TENANT = 64
"""Temporal's limit of a fairness key, in bytes."""
_OURS = frozenset({"tags", "tenant", "user", "budget"})
_OF_A_START = frozenset(
    {
        "id_conflict_policy",
        "id_reuse_policy",
        "start_delay",
        "start_signal",
        "start_signal_args",
        "cron_schedule",
        "result_type",
        "rpc_metadata",
        "rpc_timeout",
        "request_eager_start",
        "versioning_override",
    }
)
"""Options of a single start, which a schedule does not take."""


@with_config(ConfigDict(strict=True, extra="forbid"))
class StartOptions(TypedDict, total=False):
    """Options to start a run. Only `id` is required. They hold no state of a run, so they can be reused.

    All except `tags`, `tenant`, `user` and `budget` are options of Temporal's `Client.start_workflow`.
    """

    id: Required[str]
    """Workflow id. Starting the same id again returns the existing run, so a start is idempotent."""
    task_queue: str
    """Task queue of its workers; the App's own if the client was connected with one."""
    id_conflict_policy: WorkflowIDConflictPolicy
    """Policy if a run with this id is running: use it (default), fail, or terminate it and start a new one."""
    id_reuse_policy: WorkflowIDReusePolicy
    """Policy if a run with this id is closed: use it (default), fail (reject duplicate), or start a new one.

    With `id_conflict_policy=TERMINATE_EXISTING` the default is a new one."""
    tags: Sequence[str]
    """Free text labels, to filter runs and to group their cost."""
    tenant: str
    """Tenant for limits, fairness and billing, at most 64 bytes."""
    user: str
    """User for whom it works; a rollout may be sticky by user."""
    budget: Budget
    """Budget of the run and its children."""

    args: Sequence[Any]  # Any: the workflow's own types
    """Arguments of a workflow that takes several; otherwise use `input`."""
    result_type: type[Any]  # Any: as above
    """Type of the result, for a workflow given by name."""
    execution_timeout: timedelta
    """Timeout of the run with its retries and continue-as-new. Temporal then closes it without running its code, also
    without compensations."""
    run_timeout: timedelta
    """The same for each single run."""
    task_timeout: timedelta
    """Timeout of a workflow task: the time that workflow code may take between two awaits."""
    retry_policy: InstanceOf[RetryPolicy]
    """Retries of the whole workflow if it fails. Its attempts share the budget."""
    cron_schedule: str
    """Cron schedule, such as `0 8 * * *`. Each of its runs has the whole budget."""
    memo: Mapping[str, Any]  # Any: JSON values
    """Notes that a list of runs shows. llmflow adds its own."""
    search_attributes: InstanceOf[TypedSearchAttributes]
    """Search attributes of the run; the namespace must have them."""
    static_summary: str
    """A line about the run, for the Web UI."""
    static_details: str
    """Markdown about the run, for the Web UI."""
    start_delay: timedelta
    """Delay of the start. Until it ends, the run takes no decisions."""
    start_signal: str
    """Name of a signal sent with the start, or to the run with this id that is already running."""
    start_signal_args: Sequence[Any]  # Any: the signal's own types
    rpc_metadata: Mapping[str, str | bytes]
    """Headers of the request to the server."""
    rpc_timeout: timedelta
    """Timeout of the request to the server."""
    request_eager_start: bool
    """Dispatch the first workflow task to a worker of this client, if it has one."""
    priority: InstanceOf[Priority]
    """Priority in the task queue. `tenant` becomes its `fairness_key`, unless it has its own."""
    versioning_override: InstanceOf[VersioningOverride]
    """Worker deployment version for the run, instead of the current one."""


_OPTIONS = TypeAdapter(StartOptions)
_SHAPES: Mapping[str, str] = {
    "id": 'give id="...", which names the run',
    "budget": 'give a Budget, such as Budget(usd="0.50")',
    "tags": "give a list of texts",
}


def checked_options(given: Mapping[str, object]) -> StartOptions:
    """Validate the options of a start; `None` counts as omitted.

    Raises:
        InputInvalid: an option is unknown, missing, or of another type; the message names it.
    """
    options = {name: value for name, value in given.items() if value is not None}
    tags = options.get("tags")
    if isinstance(tags, str):
        raise InputInvalid(f"tags={tags!r}: give a list, such as [{tags!r}]", ErrorDetail(field="tags"))
    try:
        return _OPTIONS.validate_python(options)
    except ValidationError as error:
        raise _wrong(error, options) from None


def memo_of(options: StartOptions) -> dict[str, object]:
    """Return the memo of the run: the user's and llmflow's own fields."""
    ours = {
        TAGS.name: list(dict.fromkeys(options.get("tags", ()))),  # a call counts once for each of its tags
        TENANT.name: options.get("tenant"),
        USER.name: options.get("user"),
        BUDGET.name: options.get("budget"),
    }
    return {**options.get("memo", {}), **{name: value for name, value in ours.items() if value}}


def priority_of(options: StartOptions) -> Priority:
    """Return the priority with the tenant as fairness key. Activities and children inherit it.

    Raises:
        InputInvalid: the tenant is too long for Temporal.
    """
    tenant, priority = options.get("tenant"), options.get("priority", Priority.default)
    if tenant is not None and len(tenant.encode()) > _MAX_TENANT:
        raise InputInvalid(f"tenant {tenant!r}: give at most {_MAX_TENANT} bytes", ErrorDetail(field="tenant"))
    return replace(priority, fairness_key=priority.fairness_key or tenant)


def temporals_own(options: StartOptions) -> dict[str, Any]:  # Any: of every type
    """Convert options to Temporal's; llmflow's own become memo and priority."""
    own = {name: value for name, value in options.items() if name not in _OURS}
    return {**own, "memo": memo_of(options) or None, "priority": priority_of(options)}


def for_a_schedule(options: StartOptions) -> dict[str, Any]:  # Any: as above
    """Convert options to those of a schedule's action.

    Raises:
        InputInvalid: a schedule does not take one of them.
    """
    if wrong := sorted(_OF_A_START & set(options)):
        raise InputInvalid(f"a schedule takes no `{wrong[0]}`: leave it out", ErrorDetail(field=wrong[0]))
    own = temporals_own(options)
    return {"typed_search_attributes" if name == "search_attributes" else name: value for name, value in own.items()}


def _wrong(error: ValidationError, options: Mapping[str, object]) -> InputInvalid:
    problems = problems_of(error)
    # Unknown names first: a typo may be the reason why another option is missing.
    problem = next((one for one in problems if one["type"] == "extra_forbidden"), problems[0])
    name, known = str(problem["loc"][0]), StartOptions.__annotations__
    detail = ErrorDetail(field=name)
    if problem["type"] == "extra_forbidden":
        return InputInvalid(
            f"start() has no option `{name}`{did_you_mean(name, known)}. It has {', '.join(known)}", detail
        )
    if name not in options:
        return InputInvalid(f"start() needs `{name}`: {_SHAPES[name]}", detail)
    return InputInvalid(f"{name}={options[name]!r}: {_SHAPES.get(name, message_of(problem))}", detail)
