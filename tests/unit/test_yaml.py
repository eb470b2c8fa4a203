"""Every value of a YAML file knows where it stands."""

from pathlib import Path

import pytest

from llmflow.errors import ConfigInvalid
from llmflow.yaml import Node, Problem, parse_yaml, read_yaml


def parsed(text: str, *, exact: bool = False) -> Node:
    found = parse_yaml(text, "f", exact=exact)
    assert isinstance(found, Node), found
    return found


def test_values_and_keys_have_places() -> None:
    root = parsed("a: 1\nb:\n  c: [x, {d: y}]\n")
    assert root.plain() == {"a": 1, "b": {"c": ["x", {"d": "y"}]}}
    inner = root.mapping("it")["b"].mapping("it")["c"]
    assert [(one.line, one.column) for one in inner.sequence()] == [(3, 7), (3, 10)]
    assert root.place(("b", "c", 1, "d")) == (3, 11)
    assert root.place(("b", "nothing", "there")) == (2, 1)
    assert root.place(("b", "c", 7)) == (3, 3)


def test_what_is_merged_stands_where_it_was_written() -> None:
    root = parsed("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  x: 3\n")
    b = root.mapping("it")["b"].mapping("it")
    assert {key: (node.value, node.line) for key, node in b.items()} == {"x": (3, 4), "y": (2, 1)}
    assert root.place(("b", "x")) == (4, 3)


def test_numbers_stay_as_they_are_written() -> None:
    assert parsed("a: [0.10, 1, 1e3]", exact=True).plain() == {"a": ["0.10", 1, "1e3"]}
    assert parsed("a: 0.10").plain() == {"a": 0.1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\n5: x", "f:2:1: it: the key 5 must be text: put it in quotes"),
        ("true: x", "f:1:1: it: the key True must be text"),
        ("- a", "f:1:1: it must be a mapping, not a list"),
        ("", "f:1:1: it must be a mapping, not empty"),
        ("a: 1\nmodle: 2", "f:2:1: it has no field 'modle' (did you mean `model`?). There is: a, model"),
        ("!!omap [a: 1]", "f:1:1: it must be a mapping, not "),
    ],
)
def test_what_does_not_fit_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigInvalid) as failed:
        parsed(text).mapping("it", {"a", "model"})
    assert failed.value.message.startswith(said)


@pytest.mark.parametrize(
    ("text", "said"), [("a: 5", "f:1:4: it must be text, not 5"), ("a:", "it must be text, not empty")]
)
def test_text_is_text(text: str, said: str) -> None:
    with pytest.raises(ConfigInvalid, match=said):
        parsed(text).mapping("it")["a"].text("it")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\na: 2", (2, 1, "found duplicate key")),
        ("a: [", (1, 5, "expected the node content")),
        ("a: !strange x", (1, 4, "could not determine a constructor")),
        ("a: \x01", (1, 1, "this is not YAML: ")),
        ("a: 2020-99-01", (1, 1, "this is not YAML: month")),
    ],
)
def test_what_is_no_yaml(text: str, problem: tuple[int, int, str]) -> None:
    found = parse_yaml(text)
    assert isinstance(found, Problem)
    assert (found.line, found.column) == problem[:2]
    assert found.message.startswith(problem[2])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file"),
        (b"\xff", "is not UTF-8 text"),
        (b"a: [", ":1:5: "),
        (b"a: 2020-99-01", ":1:1: "),
    ],
)
def test_files(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "it.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigInvalid, match=said) as failed:
        read_yaml(path)
    assert failed.value.message.startswith(str(path))
