"""Shapes: the part of a type that its JSON schema tells, without the user's validators.

A validator of JSON schemas would refuse what pydantic reads, such as `"5"` for an `int`, and takes milliseconds for an
answer of some kilobytes. So a schema becomes one of pydantic's own again.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

from pydantic import JsonValue
from pydantic_core import CoreSchema, SchemaError, SchemaValidator

from llmflow.types.schemas import resolved

Schema = Mapping[str, JsonValue]
Part = dict[str, JsonValue]

_DIGITS = 8
_DEFS = "#/$defs/"
_SIMPLE: Mapping[str, str] = MappingProxyType(
    {"integer": "int", "number": "float", "boolean": "bool", "null": "none", "string": "str"}
)
_FORMATS: Mapping[str, str] = MappingProxyType(
    {"date": "date", "time": "time", "date-time": "datetime", "duration": "timedelta", "uri": "url", "uuid": "uuid"}
)
_NUMBERS: Mapping[str, str] = MappingProxyType(
    {
        "minimum": "ge",
        "exclusiveMinimum": "gt",
        "maximum": "le",
        "exclusiveMaximum": "lt",
        "multipleOf": "multiple_of",
    }
)
_TEXTS: Mapping[str, str] = MappingProxyType({"minLength": "min_length", "maxLength": "max_length"})
_ITEMS: Mapping[str, str] = MappingProxyType({"minItems": "min_length", "maxItems": "max_length"})
_KEYS: Mapping[str, str] = MappingProxyType({"minProperties": "min_length", "maxProperties": "max_length"})


@dataclass(frozen=True)
class Shape:
    """The shape of a JSON schema."""

    hash: str
    """Hash of 8 digits. Descriptions, titles, defaults and the order of fields are not in it."""
    _validator: SchemaValidator | None

    def fits(self, text: str) -> bool:
        """Return True if pydantic reads the JSON text, validators of the user left out."""
        if self._validator:
            try:
                self._validator.validate_json(text)
            except ValueError:  # a ValidationError, or half of a surrogate pair
                return False
        return True


def shape_of(schema: Schema) -> Shape:
    """Make the shape of a schema that pydantic wrote, in about a millisecond."""
    parts = _object(schema.get("$defs"))
    named = [{**_part(resolved(part, schema), parts), "ref": name} for name, part in sorted(parts.items())]
    whole: Part = {"type": "definitions", "schema": _part(schema, parts), "definitions": cast(JsonValue, named)}
    try:
        validator = SchemaValidator(cast(CoreSchema, whole))
    except SchemaError:  # it has parts that the user wrote, such as a `minimum` that is a text
        validator = None
    digest = hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
    return Shape(digest[:_DIGITS], validator)


def _part(schema: JsonValue | Schema, defs: Schema) -> Part:
    """Convert a part of a schema to pydantic's own; what says nothing about the shape takes every value."""
    match given := _object(schema):
        case {"$ref": str(reference)} if (name := reference.removeprefix(_DEFS)) in defs:
            return {"type": "definition-ref", "schema_ref": name}
        case {"const": value}:
            return _one_of([value])
        case {"enum": [*values]}:
            return _one_of(values)
        case {"anyOf": [*choices]} | {"oneOf": [*choices]}:
            return _union([_part(one, defs) for one in cast(Sequence[JsonValue], choices)])
        case {"type": [*types]}:
            return _union([_part({**given, "type": one}, defs) for one in types])
        case {"type": "string", "format": str(format)} if format in _FORMATS:
            return {"type": _FORMATS[format]}
        case {"type": "array"}:
            return _array(given, defs)
        case {"type": "object"}:
            return _mapping(given, defs)
        case {"type": str(type)} if type in _SIMPLE:
            return {
                "type": _SIMPLE[type],
                **_limits(given, _TEXTS if type == "string" else _NUMBERS),
                **_pattern(given),
            }
        case _:
            return {"type": "any"}


def _one_of(values: Sequence[JsonValue]) -> Part:
    is_plain = values and not any(isinstance(value, dict | list) for value in values)
    return {"type": "literal", "expected": list(values)} if is_plain else {"type": "any"}


def _union(choices: Sequence[Part]) -> Part:
    return {"type": "union", "choices": list(choices), "mode": "left_to_right"} if choices else {"type": "any"}


def _array(schema: Schema, defs: Schema) -> Part:
    if isinstance(first := schema.get("prefixItems"), list):
        return {"type": "tuple", "items_schema": [_part(one, defs) for one in first]}
    return {"type": "list", "items_schema": _part(schema.get("items"), defs), **_limits(schema, _ITEMS)}


def _mapping(schema: Schema, defs: Schema) -> Part:
    more, fields = schema.get("additionalProperties"), schema.get("properties")
    if not isinstance(fields, dict):
        keys, values = _part(schema.get("propertyNames"), defs), _part(more, defs)
        return {"type": "dict", "keys_schema": keys, "values_schema": values, **_limits(schema, _KEYS)}
    required = schema.get("required")
    needed = required if isinstance(required, list) else ()
    parts: Part = {
        name: {"type": "typed-dict-field", "schema": _part(part, defs), "required": name in needed}
        for name, part in fields.items()
    }
    return {"type": "typed-dict", "fields": parts, "extra_behavior": "forbid" if more is False else "ignore"}


def _limits(schema: Schema, names: Mapping[str, str]) -> Part:
    return {ours: schema[theirs] for theirs, ours in names.items() if theirs in schema}


def _pattern(schema: Schema) -> Part:
    """Return the pattern of a text, unless it is one of Python's, which pydantic's own engine does not read."""
    if "pattern" not in schema:
        return {}
    try:
        SchemaValidator(cast(CoreSchema, {"type": "str", "pattern": schema["pattern"]}))
    except SchemaError:
        return {}
    return {"pattern": schema["pattern"]}


def _object(given: JsonValue | Schema) -> Schema:
    return given if isinstance(given, Mapping) else {}
