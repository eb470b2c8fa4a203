"""How a run is started: the options of `Client.start`, looked at before anything is sent."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Required

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from typing_extensions import TypedDict  # pydantic reads that of `typing` from Python 3.12 on

from llmflow.errors import ErrorDetail, InputInvalid, did_you_mean
from llmflow.types.budgets import Budget
from llmflow.types.contracts import BUDGET, TAGS, TENANT, USER
from llmflow.types.problems import message_of, problems_of

_MAX_TENANT = 64
"""Bytes that Temporal takes as the key of its fairness."""
_LAST = 5


@with_config(ConfigDict(strict=True, extra="forbid"))
class StartOptions(TypedDict, total=False):
    """How to start a run. Only `id` is required."""

    id: Required[str]
    """Names the run. Starting the same id again gives the run that exists, so a start may be repeated safely."""
    task_queue: str
    """Where its workers are; the App's own if the client was connected with one."""
    conflict: WorkflowIDConflictPolicy
    """If a run of this id is running: use it (default), fail, or terminate it and start again."""
    reuse: WorkflowIDReusePolicy
    """If a run of this id is closed: use it (default), fail (reject duplicate), or start again.

    With `conflict=TERMINATE_EXISTING` the default is to start again."""
    delay: timedelta
    """Start this much later. Until then it takes no decisions."""
    timeout: timedelta
    """Of the whole run. Temporal then ends it from outside: no compensation and no clean-up run any more."""
    tags: Sequence[str]
    """Free text to tell runs apart later, and to add up what they cost."""
    tenant: str
    """Whose run it is, at most 64 bytes: its limits, its share of busy workers, its bill."""
    user: str
    """Whom it works for; a rollout of prompts may be sticky by it."""
    budget: Budget
    """What it may cost, with all its children."""
    priority: int
    """1 goes first, 5 last, where runs wait for busy workers; 3 if left out."""
    summary: str
    """One line about the run, for the Web UI."""


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
    given = {
        TAGS.name: list(dict.fromkeys(options.get("tags", ()))),  # a call counts once for each of its tags
        TENANT.name: options.get("tenant"),
        USER.name: options.get("user"),
        BUDGET.name: options.get("budget"),
    }
    return {name: value for name, value in given.items() if value}


def priority_of(options: StartOptions) -> Priority:
    """Temporal shares busy workers fairly between tenants. Activities and children inherit it.

    Raises:
        InputInvalid: Temporal does not take such a tenant, or such a priority.
    """
    tenant, key = options.get("tenant"), options.get("priority")
    if tenant is not None and len(tenant.encode()) > _MAX_TENANT:
        raise InputInvalid(f"tenant {tenant!r}: give at most {_MAX_TENANT} bytes", ErrorDetail(field="tenant"))
    if key is not None and not 1 <= key <= _LAST:
        raise InputInvalid(f"priority={key}: give 1, which goes first, to {_LAST}", ErrorDetail(field="priority"))
    return Priority(priority_key=key, fairness_key=tenant)


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
