"""Answers judged by a JSON schema, where the workflow has no type that would."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.types.models import OutputSchema

SHOWN = 20
"""Problems that the model is told."""


def judge_of(output: OutputSchema) -> Callable[[str], str]:
    """A function that says of a text how it does not fit the schema, a line for each problem; empty if it fits.

    Raises:
        InputInvalid: it is no JSON schema, or has a `$ref` to something outside of it.
    """
    return _judge(to_json(output.json_schema))


@lru_cache(maxsize=100)  # 2 ms to check and compile a schema, which every call of a prompt would pay again
def _judge(text: bytes) -> Callable[[str], str]:
    # Imported here: 80 ms and 3 MB that workers do without if their answers have types.
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
    validator = kind(schema, registry=Registry())  # without a registry, it would fetch what a `$ref` names

    def judge(answer: str) -> str:
        try:
            errors = validator.iter_errors(from_json(answer, allow_inf_nan=False))
            lines = [f"- {'.'.join(map(str, error.path)) or 'the answer'}: {error.message}" for error in errors]
        except ValueError as error:
            lines = [f"- the answer: Invalid JSON: {error}"]
        return "\n".join(("the answer does not fit its schema:", *lines[:SHOWN])) if lines else ""

    return judge


def _references(schema: JsonValue) -> Iterator[str]:
    if isinstance(schema, dict) and isinstance(reference := schema.get("$ref"), str):
        yield reference
    if isinstance(schema, dict | list):
        for part in schema.values() if isinstance(schema, dict) else schema:
            yield from _references(part)


def _no_schema(where: str, problem: str) -> InputInvalid:
    at = f" at {where}" if where else ""
    return InputInvalid(f"the schema of the answer is no JSON schema{at}: {problem}", ErrorDetail(field="schema"))
