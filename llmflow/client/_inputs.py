"""What a workflow is given, looked at before it is sent."""

import inspect
from collections.abc import Sequence

from temporalio.client import Client as TemporalClient
from temporalio.common import RawValue

from llmflow.errors import InputInvalid

_MARK = "__temporal_workflow_definition"  # what `@workflow.defn` leaves on a class and on its run method


def check_input(temporal: TemporalClient, workflow: object, arguments: Sequence[object]) -> None:
    """Refuse what the workflow could not read, by reading it as its worker will. What a mere name takes, nobody knows.

    Raises:
        InputInvalid: it does not fit what the workflow's run method takes; names each field that does not.
        PayloadTooLarge: it does not fit Temporal.
    """
    definition = getattr(workflow, _MARK, None)
    if definition is None:
        return
    try:
        inspect.signature(definition.run_fn).bind(None, *arguments)
    except TypeError as error:
        raise InputInvalid(f"workflow {definition.name}: {error}") from None
    if definition.arg_types is None or any(isinstance(one, RawValue) for one in arguments):
        return
    converter = temporal.data_converter.payload_converter
    payloads = converter.to_payloads(arguments)
    try:
        converter.from_payloads(payloads, definition.arg_types[: len(payloads)])
    except InputInvalid as error:
        raise InputInvalid(f"{definition.name} does not take this input: {error.message}", error.detail) from None
