"""Reads JSON schemas: references and bounds."""

import math
from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import JsonValue

from llmflow.types.schemas import resolved

Schema = Mapping[str, JsonValue]


def resolve(schema: JsonValue, root: Schema) -> Schema:
    """Resolve top-level `$ref` and `allOf`; keywords beside them win. `true` is the empty schema."""
    merged: dict[str, JsonValue] = resolved(schema, root)
    parts = merged.pop("allOf", None)
    for part in parts if isinstance(parts, list) else []:
        merged = {**resolve(part, root), **merged}
    return merged


def branches(schema: Schema, root: Schema) -> list[Schema]:
    """Return the alternatives of a schema, each complete; the schema itself if it has none."""
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf", "type")}
    options = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(options, list):
        return [branch for option in options for branch in branches({**rest, **resolve(option, root)}, root)]
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return [{**rest, "type": kind} for kind in kinds]
    return [schema]


def type_of(schema: Schema) -> str:
    """Return the explicit or implied type; `string` for a schema without restrictions."""
    kind = schema.get("type")
    if isinstance(kind, str):
        return kind
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else "string"


def whole(schema: Schema, key: str, default: int) -> int:
    """Read a bound such as `minItems`."""
    value = schema.get(key)
    return int(value) if isinstance(value, int | float) else default


def text(schema: Schema, key: str) -> str:
    """Read a text such as `description`; empty by default."""
    value = schema.get(key)
    return value if isinstance(value, str) else ""


def mapping(schema: Schema, key: str) -> Schema:
    """Read an object such as `properties`; empty by default."""
    value = schema.get(key)
    return value if isinstance(value, dict) else {}


def sequence(schema: Schema, key: str) -> Sequence[JsonValue]:
    """Read a list such as `required`; empty by default."""
    value = schema.get(key)
    return cast(Sequence[JsonValue], value) if isinstance(value, list) else ()


def number_within(schema: Schema, wanted: float) -> int | float:
    """Return the allowed number nearest to the wanted one."""
    is_whole = schema.get("type") == "integer"
    step = _bound(schema, "multipleOf", 1.0 if is_whole else 0.0)
    low, high = limits(schema, step)
    value = min(max(wanted, low), high)
    if step:
        value = math.ceil(round(value / step, 9)) * step
        value = value - step if value > high else value
    return round(value) if is_whole else float(value)


def limits(schema: Schema, step: float = 0.0) -> tuple[float, float]:
    """Return the least and the greatest allowed number; infinite without a bound."""
    low, high = _bound(schema, "minimum", -math.inf), _bound(schema, "maximum", math.inf)
    above, below = _bound(schema, "exclusiveMinimum", -math.inf), _bound(schema, "exclusiveMaximum", math.inf)
    room = min(high, below) - max(low, above)
    inside = step or (room / 1000 if math.isfinite(room) else 0.001)
    return max(low, above + inside), min(high, below - inside)


def _bound(schema: Schema, key: str, default: float) -> float:
    value = schema.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default
