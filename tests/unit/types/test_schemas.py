"""References of JSON schemas are followed, wherever they lead."""

import pytest
from pydantic import JsonValue

from llmflow.types.schemas import resolved

ROOT: dict[str, JsonValue] = {
    "$defs": {
        "Plan": {"type": "object", "description": "a plan"},
        "alias": {"$ref": "#/$defs/Plan"},
        "self": {"$ref": "#/$defs/self"},
        "one": {"$ref": "#/$defs/two"},
        "two": {"$ref": "#/$defs/one", "title": "two"},
        "a/b": {"type": "string"},
    }
}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"$ref": "#/$defs/Plan"}, {"type": "object", "description": "a plan"}),
        ({"$ref": "#/$defs/Plan", "description": "mine"}, {"type": "object", "description": "mine"}),
        ({"$ref": "#/$defs/alias"}, {"type": "object", "description": "a plan"}),
        ({"$ref": "#/$defs/a~1b"}, {"type": "string"}),
        ({"type": "string"}, {"type": "string"}),
        ({"$ref": "#/$defs/nothing"}, {}),
        ({"$ref": "#/$defs/Plan/type/deeper"}, {}),
        ({"$ref": "#/$defs/self"}, {}),
        ({"$ref": "#/$defs/one"}, {"title": "two"}),
        ({"$ref": 5}, {}),
        (True, {}),
        (None, {}),
    ],
)
def test_references(schema: JsonValue, expected: dict[str, JsonValue]) -> None:
    assert resolved(schema, ROOT) == expected


def test_the_root_may_be_a_reference() -> None:
    root: dict[str, JsonValue] = {"$ref": "#/$defs/Plan", **ROOT}
    assert resolved(root, root) == {"type": "object", "description": "a plan", **ROOT}


def test_nothing_is_changed() -> None:
    schema: dict[str, JsonValue] = {"$ref": "#/$defs/Plan"}
    resolved(schema, ROOT)
    assert schema == {"$ref": "#/$defs/Plan"}
