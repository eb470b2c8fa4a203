"""What a run takes over from its parent, from the run that it continues, or from whoever started it."""

from temporalio import workflow

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.types.budgets import Budget
from llmflow.types.carried import HEADER, Carried
from llmflow.types.forks import FORK, Fork
from llmflow.types.origins import BUDGET, TAGS, TENANT, USER, Origin

_SHAPES = f'{TENANT} and {USER} are texts, {TAGS} is a list of texts, {BUDGET} is like {{"usd": "0.50"}}'


def taken_over() -> Carried:
    """From the header that llmflow gave a child or a continued run; else from the memo of the start.

    Raises:
        InputInvalid: a memo of ours is of another type.
    """
    payload = workflow.info().headers.get(HEADER)
    if payload is not None:
        return workflow.payload_converter().from_payload(payload, Carried)
    root = workflow.info().root
    try:
        origin = Origin(
            root=root.workflow_id if root else None,
            tenant=workflow.memo_value(TENANT, None, type_hint=str),
            user=workflow.memo_value(USER, None, type_hint=str),
            tags=tuple(workflow.memo_value(TAGS, None, type_hint=list[str]) or ()),
            budget=_budget(),
        )
    except InputInvalid as error:
        raise InputInvalid(
            f"the memo of this run: {error.message}. {_SHAPES}",
            ErrorDetail(field="memo"),
        ) from None
    return Carried(origin=origin, fork=workflow.memo_value(FORK, None, type_hint=Fork))


def _budget() -> Budget | None:
    given = workflow.memo_value(BUDGET, None, type_hint=Budget)
    # By the run and not by its id, which another run may have later.
    return given.model_copy(update={"id": workflow.info().first_execution_run_id}) if given else None
