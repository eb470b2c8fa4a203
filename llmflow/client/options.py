"""How a run is started: the options of `Client.start`, looked at before anything is sent."""

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
"""Bytes that Temporal takes as the key of its fairness."""
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
"""Options that Temporal takes for a start, and not for what a schedule does."""


@with_config(ConfigDict(strict=True, extra="forbid"))
class StartOptions(TypedDict, total=False):
    """How to start a run. Only `id` is required, and no option belongs to one run: they can be used again.

    All but `tags`, `tenant`, `user` and `budget` are those of Temporal's own `Client.start_workflow`.
    """

    id: Required[str]
    """Names the run. Starting the same id again gives the run that exists, so a start may be repeated safely."""
    task_queue: str
    """Where its workers are; the App's own if the client was connected with one."""
    id_conflict_policy: WorkflowIDConflictPolicy
    """If a run of this id is running: use it (default), fail, or terminate it and start again."""
    id_reuse_policy: WorkflowIDReusePolicy
    """If a run of this id is closed: use it (default), fail (reject duplicate), or start again.

    With `id_conflict_policy=TERMINATE_EXISTING` the default is to start again."""
    tags: Sequence[str]
    """Free text to tell runs apart later, and to add up what they cost."""
    tenant: str
    """Whose run it is, at most 64 bytes: its limits, its share of busy workers, its bill."""
    user: str
    """Whom it works for; a rollout of prompts may be sticky by it."""
    budget: Budget
    """What it may cost, with all its children."""

    args: Sequence[Any]  # Any: the workflow's own types
    """Its arguments, where the workflow takes several; otherwise `input`."""
    result_type: type[Any]  # Any: as above
    """Of a workflow that is given by its name."""
    execution_timeout: timedelta
    """Of the run with those that continue or retry it. Temporal then ends it from outside: no compensation and no
    clean-up run any more."""
    run_timeout: timedelta
    """The same, of each single run."""
    task_timeout: timedelta
    """Of each workflow task: how long the workflow's code may take without waiting."""
    retry_policy: InstanceOf[RetryPolicy]
    """Run the whole workflow again where it fails. Its attempts share the budget."""
    cron_schedule: str
    """Run it again and again, such as `0 8 * * *`. Each of these runs has the whole budget."""
    memo: Mapping[str, Any]  # Any: whatever can be written as JSON
    """Notes that everyone who lists the run can read. What llmflow keeps there stands beside them."""
    search_attributes: InstanceOf[TypedSearchAttributes]
    """By which the run is found; the namespace must have them."""
    static_summary: str
    """One line about the run, for the Web UI."""
    static_details: str
    """More about the run, as Markdown, for the Web UI."""
    start_delay: timedelta
    """Start this much later. Until then it takes no decisions."""
    start_signal: str
    """Name of a signal that comes with the start, or goes to the run of this id that is running."""
    start_signal_args: Sequence[Any]  # Any: the signal's own types
    rpc_metadata: Mapping[str, str | bytes]
    """Headers of the call to the server."""
    rpc_timeout: timedelta
    """Of the call to the server."""
    request_eager_start: bool
    """Hand the first workflow task to a worker of this client, if it has one."""
    priority: InstanceOf[Priority]
    """Who goes first where runs wait for busy workers. `tenant` is its `fairness_key`, unless it has one of its own."""
    versioning_override: InstanceOf[VersioningOverride]
    """Which deployment of workers serves it, whatever is current."""


_OPTIONS = TypeAdapter(StartOptions)
_SHAPES: Mapping[str, str] = {
    "id": 'give id="...", which names the run',
    "budget": 'give a Budget, such as Budget(usd="0.50")',
    "tags": "give a list of texts",
}


def checked_options(given: Mapping[str, object]) -> StartOptions:
    """The options of a start; what is `None` is left out.

    Raises:
        InputInvalid: one of them is unknown, missing, or of another type; names it.
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
    """What the run, its children and everyone who lists it know it by."""
    ours = {
        TAGS.name: list(dict.fromkeys(options.get("tags", ()))),  # a call counts once for each of its tags
        TENANT.name: options.get("tenant"),
        USER.name: options.get("user"),
        BUDGET.name: options.get("budget"),
    }
    return {**options.get("memo", {}), **{name: value for name, value in ours.items() if value}}


def priority_of(options: StartOptions) -> Priority:
    """Temporal shares busy workers fairly between tenants. Activities and children inherit it.

    Raises:
        InputInvalid: Temporal does not take such a tenant.
    """
    tenant, priority = options.get("tenant"), options.get("priority", Priority.default)
    if tenant is not None and len(tenant.encode()) > _MAX_TENANT:
        raise InputInvalid(f"tenant {tenant!r}: give at most {_MAX_TENANT} bytes", ErrorDetail(field="tenant"))
    return replace(priority, fairness_key=priority.fairness_key or tenant)


def temporals_own(options: StartOptions) -> dict[str, Any]:  # Any: of every type
    """The options as Temporal takes them: what is llmflow's stands in the memo and the priority."""
    own = {name: value for name, value in options.items() if name not in _OURS}
    return {**own, "memo": memo_of(options) or None, "priority": priority_of(options)}


def for_a_schedule(options: StartOptions) -> dict[str, Any]:  # Any: as above
    """The same for what a schedule does.

    Raises:
        InputInvalid: a schedule cannot be told one of them.
    """
    if wrong := sorted(_OF_A_START & set(options)):
        raise InputInvalid(f"a schedule takes no `{wrong[0]}`: leave it out", ErrorDetail(field=wrong[0]))
    own = temporals_own(options)
    return {"typed_search_attributes" if name == "search_attributes" else name: value for name, value in own.items()}


def _wrong(error: ValidationError, options: Mapping[str, object]) -> InputInvalid:
    problems = problems_of(error)
    # An unknown name first: it may be why another one is missing.
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
