"""Address of the running activity in the ledger."""

from temporalio import activity

from llmflow.stores.ledger.rows import CallId


def call_id(*, workflow: str | None = None, part: str = "") -> CallId:
    """Return the address of the running attempt.

    Args:
        workflow: Type of the workflow that the call is for, if it is not that of its run: a batch works for another.
        part: Name of a part of the activity that has a row of its own.
    """
    info = activity.info()
    return CallId(
        workflow_id=info.workflow_id or info.activity_id,
        # A Temporal client can start the activity without a workflow; then the activity is its own run.
        run_id=info.workflow_run_id or info.activity_run_id or info.activity_id,
        workflow_type=workflow or info.workflow_type or info.activity_type,
        activity_id=f"{info.activity_id}/{part}" if part else info.activity_id,
        attempt=info.attempt,
    )
