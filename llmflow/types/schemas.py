"""Resolves references in JSON schemas. Ours only point into their own schema; a library would cost 30 ms at import."""

from collections.abc import Mapping
from typing import Any, cast

Schema = Mapping[str, Any]  # Any: JSON


def resolved(schema: object, root: Schema) -> dict[str, Any]:  # Any: JSON
    """Resolve a top-level `$ref`; keywords beside it win. A missing target or a non-object yields an empty schema.

    Args:
        schema: A part of `root`, or all of it.
        root: The schema that references such as `#/$defs/Plan` point into.
    """
    found = dict(cast(Schema, schema)) if isinstance(schema, Mapping) else {}
    followed: set[str] = set()
    while isinstance(reference := found.pop("$ref", None), str) and reference not in followed:
        followed.add(reference)
        found = {**_target(reference, root), **found}
    return found


def _target(reference: str, root: Schema) -> Schema:
    target = root
    for part in reference.removeprefix("#").split("/")[1:]:
        inner: object = target.get(part.replace("~1", "/").replace("~0", "~"))
        target = cast(Schema, inner) if isinstance(inner, Mapping) else dict[str, Any]()
    return target
