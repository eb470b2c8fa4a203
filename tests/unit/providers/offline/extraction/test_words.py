"""Words: which carry meaning, and when two are the same."""

import pytest

from llmflow.providers.offline.extraction.words import keywords, overlap, phrases, shortened, stem


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("worker", "workers"),
        ("retry", "retries"),
        ("price", "prices"),
        ("enforce", "enforced"),
        ("cancel", "cancelled"),
        ("compute", "computing"),
    ],
)
def test_forms_of_a_word_meet(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(("one", "other"), [("run", "runner"), ("cost", "coast"), ("ring", "r"), ("need", "ne")])
def test_other_words_do_not(one: str, other: str) -> None:
    assert stem(one) != stem(other)


def test_telling_words_are_kept_as_they_are_written() -> None:
    question = "How are the `SQL` budgets of a run's LLM-calls kept, and is a budget a limit?"
    assert keywords(question) == ["SQL", "budgets", "run", "LLM-calls", "kept", "limit"]
    assert phrases(question) == ["SQL", "budgets", "run", "LLM-calls kept", "budget", "limit"]


def test_overlap_is_that_of_the_smaller_set_unless_it_is_tiny() -> None:
    assert overlap("abcdef", "abcdefgh") == 1
    assert overlap("abcdef", "uvwxyz") == 0
    assert overlap("a", "abcdef") == 0.2
    assert overlap("", "") == 0


@pytest.mark.parametrize(
    ("limit", "expected"), [(99, "one two, three"), (12, "one two…"), (8, "one…"), (7, "one two"), (0, "")]
)
def test_texts_are_cut_after_a_word(limit: int, expected: str) -> None:
    assert shortened("one two, three", limit) == expected
