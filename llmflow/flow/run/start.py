"""The start of a run: its headers and memos."""

from typing import TypeVar

from pydantic import ValidationError
from temporalio import workflow

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.types import wire
from llmflow.types.base import changed
from llmflow.types.budgets import Budget
from llmflow.types.carried import Carried
from llmflow.types.contracts import BUDGET, CARRIED, FORKED, TAGS, TENANT, USER, Memo
from llmflow.types.origins import Origin
from llmflow.types.problems import misfit

T = TypeVar("T")

_SHAPES = (
    f'{TENANT.name} and {USER.name} are texts, {TAGS.name} is a list of texts, {BUDGET.name} is like {{"usd": "0.50"}}'
)


def is_ours(info: workflow.Info) -> bool:
    """Return True if a run or client of llmflow started the run."""
    return any(name.startswith(wire.PREFIX) for name in (*info.headers, *info.raw_memo))


def carried(info: workflow.Info) -> Carried:
    """Read carried state: from the header of a child or continue-as-new run, else from the memos of the start.

    Raises:
        InputInvalid: a memo of llmflow has an invalid value.
    """
    if (handed := CARRIED.read(info.headers, workflow.payload_converter())) is not None:
        return handed
    fork = _noted(FORKED)
    try:
        origin = Origin(
            root=info.root.workflow_id if info.root else None,
            tenant=_noted(TENANT),
            user=_noted(USER),
            tags=tuple(_noted(TAGS) or ()),
            budget=_budget(info),
            fork_of=fork and fork.workflow_id,
        )
    except ValidationError as error:
        raise InputInvalid(
            f"the memo of this run: {misfit(error).message}. {_SHAPES}",
            ErrorDetail(field="memo"),
        ) from None
    return Carried(origin=origin, fork=fork)


def _budget(info: workflow.Info) -> Budget | None:
    given = _noted(BUDGET)
    # Identified by run id: a later run may have the same workflow id. Runs of a cron schedule do not share a budget.
    run = info.run_id if info.cron_schedule else info.first_execution_run_id
    return changed(given, id=run) if given else None


def _noted(memo: Memo[T]) -> T | None:
    value: T | None = workflow.memo_value(memo.name, None, type_hint=memo.value)
    return value
