"""Fills a JSON schema with content of the input."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, count, islice, repeat

from pydantic import JsonValue

from llmflow.errors import RequestRejected
from llmflow.providers.offline.extraction.content import Focus, RankedMaterial
from llmflow.providers.offline.extraction.formats import of_format, of_pattern
from llmflow.providers.offline.extraction.kinds import Kind, kind_of
from llmflow.providers.offline.extraction.schema import (
    Schema,
    branches,
    limits,
    mapping,
    number_within,
    resolve,
    sequence,
    text,
    type_of,
    whole,
)
from llmflow.providers.offline.extraction.words import keywords, shortened, words

_ENDLESS = 40
_SPARE = 100  # numbers to fall back on
_ABSTRACT = 2  # sentences of a text beside a list with the full content
_DEPTH = 8  # below this depth, a recursive schema gets only required content
_POSITIVE = frozenset(["relevant", "answered", "answerable", "supported", "found", "useful", "sufficient", "grounded"])


class AnswerWriter:
    """Walks one schema. The same input and schema always give the same value, which fits the schema."""

    def __init__(self, content: RankedMaterial, schema: Schema) -> None:
        self._content = content
        self._root = schema

    def value(self) -> JsonValue:
        """Make the value.

        Raises:
            RequestRejected: no part of the input fits a pattern, or the schema contains itself without end.
        """
        return self._value(dict(self._root), "", self._content.all, 0)

    def _value(self, schema: JsonValue, name: str, focus: Focus, depth: int, index: int | None = None) -> JsonValue:
        """Make a value; `index` is its position in a list, so that items differ."""
        if depth > _ENDLESS:
            raise RequestRejected(f"the output schema contains itself without end at `{name}`: allow null or a list")
        found = self._chosen(resolve(schema, self._root), name, focus, depth)
        if "const" in found:
            return found["const"]
        if "enum" in found:
            return self._option(found, focus, index or 0)
        match type_of(found):
            case "object":
                return self._object(found, focus, depth)
            case "array":
                return self._array(found, name, focus, depth)
            case "null":
                return None
            case "boolean":
                return self._boolean(found, name, focus) != bool((index or 0) % 2)
            case "integer" | "number":
                return next(islice(self._numbers(found, name, focus), index or 0, None))
            case _:
                return next(islice(self._strings(found, name, focus, index), index or 0, None))

    def _chosen(self, schema: Schema, name: str, focus: Focus, depth: int) -> Schema:
        """Choose the alternative to fill: `null` without content, the one that is mentioned, or the first."""
        options = branches(schema, self._root)
        null = next((option for option in options if option.get("type") == "null"), None)
        others = [option for option in options if option is not null]
        nothing = kind_of(name, text(schema, "description")) == "id" and not self._content.strings("id", focus)
        if null is not None and (not others or nothing or depth > _DEPTH):
            return null
        if len(others) == 1:
            return others[0]
        tags = [self._tag(option) for option in others]
        mentioned = self._content.mentioned([tag for tag in tags if tag is not None], focus)
        return others[tags.index(mentioned[0])] if mentioned else others[0]

    def _tag(self, schema: Schema) -> JsonValue:
        """Return the constant that identifies a member of a union."""
        fields = (resolve(field, self._root) for field in mapping(schema, "properties").values())
        return next((field["const"] for field in fields if "const" in field), None)

    def _object(self, schema: Schema, focus: Focus, depth: int) -> dict[str, JsonValue]:
        required = [name for name in sequence(schema, "required") if isinstance(name, str)]
        fields = mapping(schema, "properties")
        if any(self._is_list_of_objects(field) for field in fields.values()):
            focus = replace(focus, sentences=_ABSTRACT)
        names = [name for name in fields if depth <= _DEPTH or name in required]
        names += [name for name in required if name not in fields]
        words_then_numbers = chain(keywords(self._content.material.text), map(str, count(1)))
        free = (word for word in words_then_numbers if word not in names)
        names += list(islice(free, max(0, whole(schema, "minProperties", 0) - len(names))))
        others = schema.get("additionalProperties", {})
        return {name: self._value(fields.get(name, others), name, focus, depth + 1) for name in names}

    def _is_list_of_objects(self, schema: JsonValue) -> bool:
        items = resolve(resolve(schema, self._root).get("items", {}), self._root)
        return type_of(items) == "object"

    def _array(self, schema: Schema, name: str, focus: Focus, depth: int) -> list[JsonValue]:
        first = [self._value(item, name, focus, depth + 1) for item in sequence(schema, "prefixItems")]
        low = max(whole(schema, "minItems", 0) - len(first), 0)
        high = max(whole(schema, "maxItems", 1_000) - len(first), 0)
        if depth > _DEPTH or ("items" not in schema and first):
            high = low
        item = self._chosen(resolve(schema.get("items", {}), self._root), name, focus, depth)
        said = {"description": text(schema, "description"), **item}
        return [*first, *islice(self._items(said, name, focus, depth + 1, low), high)]

    def _items(self, item: Schema, name: str, focus: Focus, depth: int, low: int) -> Iterator[JsonValue]:
        """Yield at least `low` items, and more if the input has more content."""
        kind = kind_of(name, text(item, "description"))
        if type_of(item) == "object" and "const" not in item:
            kinds = {kind_of(field) for field in mapping(item, "properties")}
            parts = self._content.parts(focus, by_heading="prose" in kinds and bool(kinds & {"heading", "title"}))
            parts += [focus] * (low - len(parts))
            yield from (self._value(dict(item), name, part, depth) for part in parts)
            return
        yield from (
            self._value(dict(item), name, focus, depth, index)
            for index in range(max(low, self._said(item, kind, focus)))
        )

    def _said(self, item: Schema, kind: Kind, focus: Focus) -> int:
        """Count the items of that schema that the input mentions."""
        if "enum" in item:
            return len(self._content.mentioned(sequence(item, "enum"), focus))
        if "const" in item:
            return 0
        match type_of(item):
            case "string":
                return len(self._content.strings(kind, focus))
            case "integer" | "number":
                return sum(number_within(item, number) == number for number in self._content.numbers(focus))
            case _:
                return 0

    def _option(self, schema: Schema, focus: Focus, index: int) -> JsonValue:
        options = list(sequence(schema, "enum"))
        mentioned = self._content.mentioned(options, focus)
        rest = [option for option in options if option not in mentioned]
        if "default" in schema and schema["default"] in rest:
            rest = [schema["default"], *(option for option in rest if option != schema["default"])]
        return [*mentioned, *rest][index % len(options)]

    def _boolean(self, schema: Schema, name: str, focus: Focus) -> bool:
        """Return True only for measurable facts: word counts approve, confirm or refuse nothing."""
        if _POSITIVE & set(words(name.replace("_", " "))):
            return self._content.is_relevant(focus)
        return schema.get("default") is True

    def _numbers(self, schema: Schema, name: str, focus: Focus) -> Iterator[int | float]:
        """Yield numbers that fit the schema, best first, without end; without repetition while there are enough."""
        low, high = limits(schema)
        default = schema.get("default")
        said = [number for number in self._content.numbers(focus) if number_within(schema, number) == number]
        if kind_of(name, text(schema, "description")) == "score":
            share = self._content.coverage(focus)
            said = [low + share * (high - low) if math.isfinite(high - low) else share]
        elif isinstance(default, int | float):
            said = [default]
        start, stride = max(low, 0.0), min(1.0, (high - low) / _SPARE)
        spare = (start + number * stride for number in range(_SPARE))
        fitting = list(dict.fromkeys(number_within(schema, number) for number in chain(said, spare)))
        yield from chain(fitting, repeat(fitting[-1]))

    def _strings(self, schema: Schema, name: str, focus: Focus, index: int | None) -> Iterator[str]:
        """Yield strings that fit the schema, best first, without end; without repetition while there are enough."""
        content = self._content
        kind = kind_of(name, text(schema, "description"))
        said = content.strings(kind, focus)
        if index is None:
            said = self._text(kind, focus)
        if pattern := text(schema, "pattern"):
            yield from repeat(of_pattern(pattern, *said, content.material.text))
        formatted = of_format(text(schema, "format"), content.material.text)
        if formatted is not None:
            yield from repeat(formatted)
        low, high = whole(schema, "minLength", 0), whole(schema, "maxLength", 1_000_000)
        others = content.ids if kind == "id" and content.ids else keywords(content.material.text)
        yield from (_sized(value, low, high) for value in dict.fromkeys((*said, *others)))
        yield from (_sized(str(number), low, high) for number in count(1))

    def _text(self, kind: Kind, focus: Focus) -> list[str]:
        """Return the content of a single string field."""
        if kind == "prose":
            return [" ".join(self._content.prose(focus))]
        nothing = "" if kind in ("id", "gap", "quote") else self._content.material.question
        return [*self._content.strings(kind, focus), nothing][:1]


def _sized(value: str, low: int, high: int) -> str:
    return shortened(value, high).ljust(low, ".")
