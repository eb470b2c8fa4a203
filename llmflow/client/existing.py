"""Compares a start with the existing run of its id: same workflow and same input."""

from collections.abc import Sequence

from temporalio.client import Client as TemporalClient

from llmflow.client.errors import readable_errors
from llmflow.client.inputs import same_input, type_of
from llmflow.client.status import arguments_of
from llmflow.errors import ErrorDetail, Remedy, RunExists, RunNotFound
from llmflow.types.runs import RunStatus


async def check_same(temporal: TemporalClient, workflow: object, arguments: Sequence[object], found: RunStatus) -> None:
    """Check that a start matches the existing run of its id.

    Raises:
        RunExists: the run is of another workflow, or has another input.
    """
    asked = type_of(workflow)
    if found.workflow != asked:
        raise RunExists(
            f"run {found.id!r} exists already and is of {found.workflow}, not of {asked}: choose another id"
        ) from None
    try:
        async with readable_errors(found.id):
            recorded = await arguments_of(temporal, temporal.get_workflow_handle(found.id, run_id=found.run_id))
    except RunNotFound:  # Temporal has deleted the start of a long chain; it is still the run of this id
        return
    if not same_input(temporal, workflow, arguments, recorded):
        raise RunExists(
            f"run {found.id!r} exists already ({found.state}), and began with another input",
            ErrorDetail(remedy=Remedy(action="choose_id", run=found.id)),
        ) from None
