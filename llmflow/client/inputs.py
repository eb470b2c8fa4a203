"""Checks of workflow inputs before they are sent."""

import inspect
from collections.abc import Sequence

from pydantic import ValidationError
from temporalio.client import Client as TemporalClient
from temporalio.common import RawValue

from llmflow.errors import InputInvalid
from llmflow.sdk.marks import definition_of
from llmflow.types.problems import misfit


def check_input(temporal: TemporalClient, workflow: object, arguments: Sequence[object]) -> None:
    """Refuse an input that the worker could not decode, by decoding it here. A workflow given by name is not checked.

    Raises:
        InputInvalid: the input does not fit the workflow's run method; the message names each wrong field.
    """
    definition = definition_of(workflow)
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
    except ValidationError as error:
        wrong = misfit(error)
        raise InputInvalid(f"{definition.name} does not take this input: {wrong.message}", wrong.detail) from None


def type_of(workflow: object) -> str:
    """Return the type name of a workflow given by name, class or run method."""
    definition = definition_of(workflow)
    return str(definition.name if definition else workflow)


def same_input(
    temporal: TemporalClient, workflow: object, arguments: Sequence[object], recorded: Sequence[object]
) -> bool:
    """Return True if the arguments equal `recorded`, the arguments of a run as JSON data.

    If the workflow's types are known, decoded values are compared, so a field that was added with a default makes no
    difference.
    """
    if any(isinstance(one, RawValue) for one in arguments):
        return True  # encoded by the caller, so not comparable
    converter = temporal.data_converter.payload_converter
    given = converter.from_payloads(converter.to_payloads(arguments))
    if _without_end(given) == _without_end(recorded):
        return True
    types: list[type] = getattr(definition_of(workflow), "arg_types", None) or []
    try:
        ours, theirs = (
            converter.from_payloads(converter.to_payloads(one), types[: len(one)]) for one in (given, recorded)
        )
    except (TypeError, ValueError, RuntimeError):  # the record has another type, or is not JSON, such as bytes
        return False
    return bool(types) and _without_end(ours) == _without_end(theirs)


def _without_end(values: Sequence[object]) -> list[object]:
    """Remove trailing `None`, the usual default of an omitted argument."""
    kept = list(values)
    while kept and kept[-1] is None:
        kept.pop()
    return kept
