"""Judges answers by the JSON schema that they were asked with."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.types.models import OutputSchema
from llmflow.types.shapes import Shape, shape_of

SHOWN = 20
"""Upper limit of problems in the message for the model."""


def judge_of(output: OutputSchema) -> Callable[[str], str]:
    """Return a function that describes how a text does not fit the schema, a line per problem; empty if it fits.

    For workflows without a type for the answer.

    Raises:
        InputInvalid: the schema is not a JSON schema, or has a `$ref` outside of itself.
    """
    return _judge(to_json(output.json_schema))


@lru_cache(maxsize=100)  # checking and compiling a schema takes 2 ms
def _judge(text: bytes) -> Callable[[str], str]:
    # Imported here: it costs 80 ms and 3 MB, only for workers that validate by schema.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    schema: dict[str, JsonValue] = from_json(text)
    kind = validator_for(schema, default=Draft202012Validator)
    resolver = Registry[Any]().with_resource("", DRAFT202012.create_resource(schema)).resolver()  # Any: schemas
    try:
        kind.check_schema(schema)
        for reference in _references(schema):
            resolver.lookup(reference)
    except SchemaError as error:
        raise _no_schema("".join(f"[{part!r}]" for part in error.path), error.message) from None
    except Unresolvable as error:
        raise _no_schema(error.ref, "nothing in the schema has this address") from None
    validator = kind(schema, registry=Registry())  # without a registry, it would fetch a `$ref`

    def judge(answer: str) -> str:
        try:
            errors = validator.iter_errors(from_json(answer, allow_inf_nan=False))
            lines = [f"- {'.'.join(map(str, error.path)) or 'the answer'}: {error.message}" for error in errors]
        except ValueError as error:
            lines = [f"- the answer: Invalid JSON: {error}"]
        return "\n".join(("the answer does not fit its schema:", *lines[:SHOWN])) if lines else ""

    return judge


def shape_asked(output: OutputSchema) -> Shape:
    """Return the shape of the type that an answer is asked for."""
    return _shape(to_json(output.json_schema))


@lru_cache(maxsize=500)
def _shape(text: bytes) -> Shape:
    return shape_of(from_json(text))


def _references(schema: JsonValue) -> Iterator[str]:
    if isinstance(schema, dict) and isinstance(reference := schema.get("$ref"), str):
        yield reference
    if isinstance(schema, dict | list):
        for part in schema.values() if isinstance(schema, dict) else schema:
            yield from _references(part)


def _no_schema(where: str, problem: str) -> InputInvalid:
    at = f" at {where}" if where else ""
    return InputInvalid(f"the schema of the answer is no JSON schema{at}: {problem}", ErrorDetail(field="schema"))
