"""The version of a prompt changes with what affects the call, and with nothing else."""

import pytest

from llmflow.prompts.files import parse_prompt

FILE = """\
---
model: smart
config: {temperature: 0.5, extra: {a: 1, b: [1, 2]}}
input: {question: string | null, notes: array}
output: {type: object, properties: {topic: {type: string}, why: {type: string}}}
tools: [search, fetch]
metadata: {owner: ana}
---
system:
Answer.

user:
{{ question }} é {{ notes }}
"""


def version(text: str, name: str = "app/p") -> str:
    return parse_prompt(text, name, "p.prompt").ref.version


def test_the_version_is_the_same_on_every_machine_and_for_ever() -> None:
    # A change of these values means that every run in flight loses its pinned prompts: never edit them.
    assert version(FILE) == "b20e2f247bb0"
    assert version("user:\nHello {{ name }}\n") == "1b1723c82321"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("model: smart", "# why\nmodel: 'smart'   # because"),
        ("ana", "bob"),
        ("metadata: {owner: ana}\n", ""),
        ("{temperature: 0.5, extra: {a: 1, b: [1, 2]}}", "{extra: {b: [1, 2], a: 1}, temperature: 0.50}"),
        ("{question: string | null, notes: array}", "{notes: array, question: null|string}"),
        ("\n", "\r\n"),
        ("\n", "\r"),
        ("Answer.\n", "\n\nAnswer.   \n\n\n"),
        ("{{ notes }}\n", "{{ notes }}"),
    ],
)
def test_what_no_call_sees_changes_nothing(old: str, new: str) -> None:
    changed = FILE.replace(old, new)
    assert changed != FILE
    assert version(changed) == version(FILE)


def test_neither_the_name_nor_a_byte_order_mark_is_in_it() -> None:
    assert version(FILE, "other/name") == version(FILE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("smart", "fast"),
        ("0.5", "0.6"),
        ("a: 1", "a: 2"),
        ("b: [1, 2]", "b: [2, 1]"),
        ("notes: array}", "notes: array | null}"),
        ("{topic: {type: string}, why: {type: string}}", "{why: {type: string}, topic: {type: string}}"),
        ("[search, fetch]", "[fetch, search]"),
        ("system:", "user:"),
        ("Answer.", "Answer!"),
        ("Answer.", "Answer.\n\nAnswer."),
        ("{{ question }}", " {{ question }}"),
        ("{{ question }}", "{{question}}"),
    ],
)
def test_what_a_call_sees_makes_a_new_version(old: str, new: str) -> None:
    changed = FILE.replace(old, new)
    assert changed != FILE
    assert version(changed) != version(FILE)
