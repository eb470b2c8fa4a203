"""What a run takes over from its parent, from the run that it continues, or from whoever started it."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from temporalio import workflow

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.types.batches import BATCH, Batch
from llmflow.types.budgets import Budget
from llmflow.types.carried import HEADER, Carried
from llmflow.types.forks import FORK, Fork
from llmflow.types.origins import BUDGET, TAGS, TENANT, USER, Origin
from llmflow.types.steps import StepRecord

_SHAPES = f'{TENANT} and {USER} are texts, {TAGS} is a list of texts, {BUDGET} is like {{"usd": "0.50"}}'

CARRIED_STEPS = 500
"""Records of steps that a continued run keeps, the newest ones. Each is some 280 bytes in the header of its start."""
CARRIED_ERROR = 200
"""Characters of a step's error that a continued run keeps."""
CARRIED_NAMES = 5_000
"""Names whose numbers go on in a continued run, those that were used last."""


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


def carried_steps(steps: Iterable[StepRecord], here: tuple[str, ...], now: datetime) -> tuple[StepRecord, ...]:
    """Records for the run that continues, which begins outside of all steps.

    Those around the place where the run ends have done their work; others that are still open are given up with it.
    """
    around = {"/".join(here[:depth]) for depth in range(1, len(here) + 1)}
    closed: list[StepRecord] = []
    for step in list(steps)[-CARRIED_STEPS:]:
        changes: dict[str, object] = {"error": step.error[:CARRIED_ERROR]} if step.error else {}
        if step.status == "running":
            changes = {"status": "completed" if step.path in around else "cancelled", "ended_at": now}
        closed.append(step.model_copy(update=changes))
    return tuple(closed)


def carried_names(names: Mapping[str, int], steps: Mapping[str, StepRecord]) -> dict[str, int]:
    """Numbers for the run that continues, so that it makes no address a second time.

    Those inside a step are not needed: its own name has a number, and nobody enters it again.
    """
    needed = [(name, count) for name, count in names.items() if not _within(name, steps)]
    return dict(needed[-CARRIED_NAMES:])


def _within(name: str, steps: Mapping[str, StepRecord]) -> bool:
    outermost, slash, _ = name.partition("/")
    return bool(slash) and (outermost in steps or fanned_out(outermost) in steps)


def fanned_out(path: str) -> str:
    """The step of which this is one branch: `investigate` of `investigate[3]`."""
    return path.rpartition("[")[0] if path.endswith("]") else path


def taken_batch() -> Batch | None:
    """What this run shall work on, instead of its workflow."""
    payload = workflow.info().headers.get(BATCH)
    return workflow.payload_converter().from_payload(payload, Batch) if payload is not None else None
