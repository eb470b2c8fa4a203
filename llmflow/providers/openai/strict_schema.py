"""Converts JSON schemas to OpenAI's strict mode, and answers back to the requested form.

Strict mode guarantees an answer that fits, for a subset of JSON Schema: every object closed, every property required,
no tuples, no maps, no defaults, few limits. To hide the subset from callers:

- unsupported keywords that only narrow a value (`minLength`, `uniqueItems`, ...) are removed: the workflow validates
  the answer against the full type;
- a property with a default becomes required, with the default in its description: an answer that fits the strict
  schema also fits the original;
- a root that is not an object (`list[...]`, a union, an enum) is wrapped in `{"value": ...}`, and the answer unwrapped;
- a schema outside the subset (`dict[str, X]`, tuples, untyped values) is sent unchanged, without the guarantee.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeGuard, cast

from pydantic import JsonValue
from pydantic_core import to_json

from llmflow.providers.dialects.typed import typed_text
from llmflow.types.schemas import resolved
from llmflow.types.shapes import shape_of

_Schema = dict[str, JsonValue]

_KEPT = frozenset(
    (
        *("type", "enum", "const", "description", "anyOf", "$ref", "$defs"),
        *("properties", "required", "additionalProperties", "items", "minItems", "maxItems"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "format"),
    )
)
_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"})
_OPEN = frozenset({"prefixItems", "patternProperties"})
"""Keywords that change the shape of a value; removing them would forbid values that they allow."""

_LOOK_AROUND = re.compile(r"\(\?<?[=!]")
_WRAPPING = re.compile(r'\s*\{\s*"value"\s*:\s*')


@dataclass(frozen=True)
class WireSchema:
    """A schema in its wire form."""

    schema: Mapping[str, JsonValue]
    """The schema, shared by all calls: do not change it."""
    asked: Mapping[str, JsonValue]
    """The schema as it was asked for: an answer may leave out what has a default."""
    strict: bool
    wrapped: bool = False

    def read(self, texts: Sequence[str]) -> str:
        """Return the exact JSON text of the answer; text without one that fits is returned as it is.

        Args:
            texts: Texts of the answer's messages.
        """
        return self._unwrapped(typed_text(texts, self._fits))

    def _fits(self, text: str) -> bool:
        return shape_of(self.asked).fits(self._unwrapped(text))

    def _unwrapped(self, text: str) -> str:
        if not self.wrapped or not (head := _WRAPPING.match(text)):
            return text
        try:
            _, end = json.JSONDecoder().raw_decode(text, head.end())
        except ValueError:  # such as truncated text: its validation gives a better error
            return text
        return text[head.end() : end] if text[end:].strip() == "}" else text


def wire_schema(schema: Mapping[str, JsonValue]) -> WireSchema:
    """Convert a schema to its strict form if it has one; cached per schema."""
    return _wire_schema(to_json(schema))


@lru_cache(maxsize=512)
def _wire_schema(text: bytes) -> WireSchema:
    given = cast(_Schema, json.loads(text))
    root = resolved(given, given)  # a recursive model has a reference at its root, where vendors require `type: object`
    wrapped = root.get("type") != "object"
    if wrapped:
        definitions = root.pop("$defs", None)
        value: _Schema = {"type": "object", "properties": {"value": root}, "required": ["value"]}
        root = {**value, "additionalProperties": False} | ({"$defs": definitions} if definitions else {})
    try:
        return WireSchema(_strict(root), given, strict=True, wrapped=wrapped)
    except _NotExpressible:
        return WireSchema(root, given, strict=False, wrapped=wrapped)


class _NotExpressible(Exception):
    """The schema has no strict form."""


def _strict(schema: JsonValue) -> _Schema:
    if not _is_schema(schema) or _OPEN & schema.keys():
        raise _NotExpressible
    if "oneOf" in schema:  # a tagged union; its tags are constants, so `anyOf` means the same
        schema = {**schema, "anyOf": schema["oneOf"]}
    kept: _Schema = {name: value for name, value in schema.items() if name in _KEPT}
    if "$ref" in kept:
        return _reference(kept)
    if "anyOf" in kept:
        kept["anyOf"] = [_strict(option) for option in cast(list[JsonValue], kept["anyOf"])]
    elif "type" not in kept:
        raise _NotExpressible
    for types, rule in _RULES:
        if types & _types(kept):
            rule(kept)
    if _is_schema(definitions := kept.get("$defs")):
        kept["$defs"] = {name: _strict(target) for name, target in definitions.items()}
    return kept


def _reference(schema: _Schema) -> _Schema:
    """Move a description beside `$ref`, which vendors refuse, to a union of one."""
    reference: _Schema = {"$ref": schema["$ref"]}
    return {"description": schema["description"], "anyOf": [reference]} if "description" in schema else reference


def _object(schema: _Schema) -> None:
    properties = schema.get("properties")
    if not _is_schema(properties) or schema.get("additionalProperties", False) is not False:
        raise _NotExpressible
    schema["properties"] = {name: _strict(_say_default(value)) for name, value in properties.items()}
    schema["required"] = list(properties)
    schema["additionalProperties"] = False


def _say_default(schema: JsonValue) -> JsonValue:
    if not _is_schema(schema) or schema.get("default") is None:
        return schema
    default = f"(default: {json.dumps(schema['default'], ensure_ascii=False)})"
    return {**schema, "description": f"{schema.get('description', '')} {default}".strip()}


def _array(schema: _Schema) -> None:
    schema["items"] = _strict(schema.get("items"))


def _string(schema: _Schema) -> None:
    if schema.get("format") not in _FORMATS:
        schema.pop("format", None)
    if _LOOK_AROUND.search(str(schema.get("pattern", ""))):  # unsupported; pydantic writes one for Decimal
        schema.pop("pattern")


_RULES: tuple[tuple[frozenset[str], Callable[[_Schema], None]], ...] = (
    (frozenset({"object"}), _object),
    (frozenset({"array"}), _array),
    (frozenset({"string"}), _string),
)


def _types(schema: _Schema) -> frozenset[str]:
    types = schema.get("type", [])
    return frozenset(cast(list[str], types) if isinstance(types, list) else [str(types)])


def _is_schema(value: object) -> TypeGuard[_Schema]:
    return isinstance(value, dict)
