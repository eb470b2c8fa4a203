"""The question and the passages of an input, in the forms in which prompts write them."""

import pytest

from llmflow.providers.offline.extraction.material import InputPassage, read
from llmflow.types.messages import Message, ToolResult


def question(*texts: str) -> str:
    return read([Message.user(text) for text in texts]).question


def passages(text: str) -> list[tuple[tuple[str, ...], str, str]]:
    return [(found.ids, found.title, found.text) for found in read([Message.user(text)]).passages]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rules first.\n\nQuestion: What is kept?\nAnd why?\n\nPassage [a#1]:\nx", "What is kept? And why?"),
        ("The question: What is kept?\nFindings:\n- [a#1] x", "What is kept?"),
        ("Question:\n\nWhat is kept?\n- [a#1] x", "What is kept?"),
        ("What is kept?\n\n- [a#1] x", "What is kept?"),
        ("Durable execution in Temporal", "Durable execution in Temporal"),
        ("Summarise this:\n\n" + "A long text without a question. " * 20, ""),
        ("Summarise this:\n\n" + "a\n\n" * 200 + "Why so?\n\n" + "a\n\n" * 200, ""),
        ("", ""),
    ],
)
def test_the_question(text: str, expected: str) -> None:
    assert question(text) == expected


def test_the_last_message_asks() -> None:
    assert question("What was first?", "What is second?") == "What is second?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Passage [docs/a.md#3] (Title (old)):\nText of it.\n- [b.md#1] is cited.\n\nPassage [docs/c.md]:\nMore.",
            [
                (("docs/a.md#3",), "Title (old)", "Text of it.\n- [b.md#1] is cited."),
                (("docs/c.md",), "", "More."),
            ],
        ),
        (
            "- [a.md#1] One is here.\n  It goes on.\n- [x] no id\n- Two is there [b.md#2] [my docs/c d.md#3]\n\nEnd.",
            [
                (("a.md#1",), "", "- One is here.\n  It goes on."),
                (("b.md#2", "my docs/c d.md#3"), "", "- Two is there"),
            ],
        ),
        ("- [a#1] The plugins [..] of [b#2] say so [3].", [(("a#1",), "", "- The plugins [..] of [b#2] say so [3].")]),
        ("- [a#1] [b#2], [c#3] All say so.", [(("a#1", "b#2", "c#3"), "", "- All say so.")]),
        ("- [a#1, b#2] Both say so.", [(("a#1", "b#2"), "", "- Both say so.")]),
        ("### [a.md#1] Budgets\nText.", [(("a.md#1",), "Budgets", "Text.")]),
        ("[1] One is here.\n[2]: Two is there.", [(("1",), "", "One is here."), (("2",), "", "Two is there.")]),
        (
            "See [a.md](a.md), [^1], [x] and [this].\n- [ ] open",
            [((), "", "See [a.md](a.md), [^1], [x] and [this].\n- [ ] open")],
        ),
    ],
)
def test_passages_begin_with_ids(text: str, expected: list[tuple[tuple[str, ...], str, str]]) -> None:
    assert passages(text) == expected


def test_passages_may_be_json() -> None:
    text = (
        'Findings: [{"statement": "One is here.", "sources": ["a b.md#1", "c"]}, {"heading": "H", "text": "Two."}]\n\n'
        '{"document": "d.md",\n "parts": [{"text": "Three."}]}\n{not json}'
    )
    assert passages(text) == [
        (("a b.md#1", "c"), "", "- One is here."),
        ((), "H", "- Two."),
        (("d.md",), "", "- Three."),
    ]


def test_what_tools_said_is_material_and_no_question() -> None:
    result = Message(role="user", parts=(ToolResult(id="1", text="Passage [a#1]:\nIs it kept?"),))
    material = read([Message.system("Be kind?"), Message.user("What is kept?"), Message.assistant("x"), result])
    assert material.question == "What is kept?"
    assert material.passages == (InputPassage("Is it kept?", ("a#1",)),)
