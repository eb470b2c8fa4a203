"""Common parts of the request bodies of the Responses API and of Chat Completions."""

import re
from base64 import b64encode
from typing import cast

from llmflow.types.messages import File, Image
from llmflow.types.models import ModelRequest, OutputSchema

Json = dict[str, object]


def finish(body: Json, request: ModelRequest) -> Json:
    """Remove empty fields, then merge `extra`, which wins; into objects such as `reasoning` field by field."""
    finished = {name: value for name, value in body.items() if value is not None and value != {} and value != []}
    for name, value in (request.options.extra or {}).items():
        ours = finished.get(name)
        both = isinstance(ours, dict) and isinstance(value, dict)
        finished[name] = {**cast(Json, ours), **cast(Json, value)} if both else value
    return finished


def given(**fields: object) -> Json:
    """Make an object of the fields that are not `None`."""
    return {name: value for name, value in fields.items() if value is not None}


def address(part: Image | File) -> str:
    """Return the URL of a part, or its bytes as a data URL."""
    return part.url or f"data:{part.media_type};base64,{b64encode(part.data or b'').decode()}"


def schema_name(output: OutputSchema) -> str:
    """Convert a schema's name to one that vendors allow."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", output.name).strip("_")[:64] or "answer"
