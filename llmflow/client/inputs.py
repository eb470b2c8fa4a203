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


def type_of(workflow: object) -> str:
    """The name of a workflow that is given by its name, its class or its run method."""
    definition = getattr(workflow, _MARK, None)
    return str(definition.name if definition else workflow)


def same_input(
    temporal: TemporalClient, workflow: object, arguments: Sequence[object], recorded: Sequence[object]
) -> bool:
    """True if a run that began with `recorded`, as JSON data, began with these arguments.

    Where the workflow's types are known, values of them are compared, so a field that has been added with a default
    since makes no difference.
    """
    if any(isinstance(one, RawValue) for one in arguments):
        return True  # encoded elsewhere: nobody here can compare it
    converter = temporal.data_converter.payload_converter
    given = converter.from_payloads(converter.to_payloads(arguments))
    if _without_end(given) == _without_end(recorded):
        return True
    types: list[type] = getattr(getattr(workflow, _MARK, None), "arg_types", None) or []
    try:
        ours, theirs = (
            converter.from_payloads(converter.to_payloads(one), types[: len(one)]) for one in (given, recorded)
        )
    except (InputInvalid, ValueError, RuntimeError):  # what was recorded is of another type, or no JSON: bytes, say
        return False
    return bool(types) and _without_end(ours) == _without_end(theirs)


def _without_end(values: Sequence[object]) -> list[object]:
    """Without the `None` at the end, which is what an argument that was left out often is."""
    kept = list(values)
    while kept and kept[-1] is None:
        kept.pop()
    return kept
