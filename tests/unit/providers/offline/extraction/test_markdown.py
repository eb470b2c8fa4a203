"""Sentences out of Markdown: what a reader would quote, and nothing else."""

import pytest

from llmflow.providers.offline.extraction.markdown import plain, sentences

DOCUMENT = """\
# 1. Budgets

A **budget** limits a run and
all its [children](runs.md). It is kept in `flow/__init__.py`, e.g. as `a * b * c`! See [Temporal] for more.

| event | result |
|---|---|
| worker killed | another worker retries the call that was running. |

```python
# A comment in code is no sentence of the text.
run = start(budget="0.50")
```

- Items may go without a full stop at the end
- [x] Items may also have one, or two. They may
  go on in the next line.
- too short

> A quoted paragraph counts as well.

    run(a, b);  # Indented code is code, too, is it not?

The life of a call is:

1. Never an API key, never the text twice.
"""


def test_sentences_are_whole_and_plain() -> None:
    assert [sentence.text for sentence in sentences(DOCUMENT)] == [
        "A budget limits a run and all its children.",
        "It is kept in `flow/__init__.py`, e.g. as `a * b * c`!",
        "See Temporal for more.",
        "Items may go without a full stop at the end.",
        "Items may also have one, or two.",
        "They may go on in the next line.",
        "A quoted paragraph counts as well.",
        "Never an API key, never the text twice.",
    ]
    assert {sentence.heading for sentence in sentences(DOCUMENT)} == {"1. Budgets"}


def test_the_raw_sentence_is_part_of_the_input() -> None:
    joined = " ".join(DOCUMENT.split())
    assert all(sentence.raw in joined for sentence in sentences(DOCUMENT))


@pytest.mark.parametrize(
    "text",
    [
        "Version 1.5.1 of the server came in 3.1 s to 42 machines.",
        "Ask Dr. Meier or J. Smith, i.e. Somebody who knows it.",
        "The file `a. B. c` is not split here at all.",
        "llmflow is a thin adapter over Temporal.",
    ],
)
def test_not_every_stop_ends_a_sentence(text: str) -> None:
    assert [sentence.text for sentence in sentences(f"# Title\n\n{text}")] == [text]


@pytest.mark.parametrize(
    "text",
    [
        "of a sentence that began in the passage before. ",
        "A sentence that does not end and goes on",
        "A line that leads to a list:",
        "(names as in that trial) The button was pressed.",
        "One (two three four five. ",
        "`code`, `code`, `code`, `code`, `code`, `code`.",
        "<p align='center'>A picture of the whole system.</p>",
        "[reference]: https://example.com/a-long-address",
        "1 2 3 4 5 6 7 8 9 is 45.",
        "word " * 100 + "end.",
    ],
)
def test_fragments_are_left_out(text: str) -> None:
    assert sentences(text) == []


def test_sentences_without_spaces_count_too() -> None:
    chinese = "这个系统保存每一次调用的费用。预算在数据库中执行。"
    assert len(sentences(chinese)) == 2


def test_code_keeps_its_marks() -> None:
    assert plain("*One* __two__ `__three__` [four](x) ![five](y) a_b_c 2 * 3 * 4") == (
        "One two `__three__` four five a_b_c 2 * 3 * 4"
    )
