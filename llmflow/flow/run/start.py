"""The start of a run: what its headers and its memo say."""

from temporalio import workflow

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.types.batches import BATCH, Batch
from llmflow.types.budgets import Budget
from llmflow.types.carried import HEADER, Carried
from llmflow.types.forks import FORK, Fork
from llmflow.types.origins import BUDGET, TAGS, TENANT, USER, Origin

OURS = "llmflow"
"""Headers, memos, signals and updates of llmflow begin with it."""

_SHAPES = f'{TENANT} and {USER} are texts, {TAGS} is a list of texts, {BUDGET} is like {{"usd": "0.50"}}'


def is_ours(info: workflow.Info) -> bool:
    """True if one of our runs or our client started the run: it belongs to what they are for."""
    return any(name.startswith(OURS) for name in (*info.headers, *info.raw_memo))


def carried(info: workflow.Info) -> Carried:
    """The state in the header that llmflow gave a child or a continued run; else in the memo of the start.

    Raises:
        InputInvalid: a memo of ours is of another type.
    """
    payload = info.headers.get(HEADER)
    if payload is not None:
        return workflow.payload_converter().from_payload(payload, Carried)
    try:
        origin = Origin(
            root=info.root.workflow_id if info.root else None,
            tenant=workflow.memo_value(TENANT, None, type_hint=str),
            user=workflow.memo_value(USER, None, type_hint=str),
            tags=tuple(workflow.memo_value(TAGS, None, type_hint=list[str]) or ()),
            budget=_budget(info),
        )
    except InputInvalid as error:
        raise InputInvalid(
            f"the memo of this run: {error.message}. {_SHAPES}",
            ErrorDetail(field="memo"),
        ) from None
    return Carried(origin=origin, fork=workflow.memo_value(FORK, None, type_hint=Fork))


def _budget(info: workflow.Info) -> Budget | None:
    given = workflow.memo_value(BUDGET, None, type_hint=Budget)
    # By the run and not by its id, which another run may have later.
    return given.model_copy(update={"id": info.first_execution_run_id}) if given else None


def batch_of(info: workflow.Info) -> Batch | None:
    """The batch that the run works on, instead of its workflow."""
    payload = info.headers.get(BATCH)
    return workflow.payload_converter().from_payload(payload, Batch) if payload is not None else None
