"""Documents split into passages."""

from hypothesis import given
from hypothesis import strategies as st

from llmflow.tools.passages import MAX_CHARACTERS, MIN_CHARACTERS, first_heading, split

SENTENCE = "Temporal keeps a history of every run. "
PARAGRAPH = SENTENCE * 10  # 390 characters


def test_sections_become_passages() -> None:
    document = f"# Guide\n\n{PARAGRAPH}\n\n{PARAGRAPH}\n\n## Labels\n\n{PARAGRAPH}\n\n{PARAGRAPH}\n"
    first, second = split(document)
    assert (first.ordinal, first.line, first.heading) == (1, 1, "Guide")
    assert (second.ordinal, second.line, second.heading) == (2, 7, "Guide > Labels")
    assert second.text.startswith("## Labels\n\nTemporal keeps")


def test_short_sections_stay_together() -> None:
    assert [passage.text for passage in split("# A\n\nOne.\n\n## B\n\nTwo.\n")] == ["# A\n\nOne.\n\n## B\n\nTwo."]


def test_long_sections_are_cut_between_paragraphs() -> None:
    passages = split("# A\n\n" + f"{PARAGRAPH}\n\n" * 6)
    assert [passage.text.count(PARAGRAPH.strip()) for passage in passages] == [3, 3]
    assert {passage.heading for passage in passages} == {"A"}


def test_a_long_line_is_cut_after_a_sentence() -> None:
    passages = split(SENTENCE * 100)
    assert all(passage.text.endswith("every run.") for passage in passages)
    assert all(MIN_CHARACTERS <= len(passage.text) <= MAX_CHARACTERS for passage in passages)


def test_a_line_without_spaces_is_cut_anyway() -> None:
    assert "".join(passage.text for passage in split("x" * 10_000)).replace("\n", "").count("x") == 10_000


def test_code_is_no_heading_and_stays_whole() -> None:
    code = "```python\n# not a heading\n\n\nx = 1\n```"
    (passage,) = split(f"# A\n\n{code}\n")
    assert passage.text == f"# A\n\n{code}"
    assert passage.heading == "A"


def test_code_that_begins_with_a_rule_is_no_heading() -> None:
    (passage,) = split("# A\n\n```prompt\n---\nmodel: smart\n---\n\n# no heading\n```\n")
    assert passage.heading == "A"
    assert split("```text\n---\n```\n\n# B\n")[-1].heading == ""
    assert first_heading("```text\n---\n```\n\n# B\n") == "B"


def test_a_heading_is_never_the_end_of_a_passage() -> None:
    passages = split(f"# A\n\n{'x' * 500}\n\n## B\n\n" + "y " * 700)
    assert not any(passage.text.endswith("## B") for passage in passages)


def test_underlined_headings() -> None:
    document = f"=====\nTitle\n=====\n\n{PARAGRAPH * 2}\n\nPart\n----\n\n{PARAGRAPH * 2}\n\nDetail\n~~~~~~\n\nText.\n"
    assert split(document)[1].heading == "Title > Part"
    assert first_heading(document) == "Title"


def test_rules_tables_and_metadata_are_no_headings() -> None:
    document = "---\ntitle: x\n---\n\n| a | b |\n|---|---|\n\nText\ngoes on\n---\n\nx\n"
    assert [passage.heading for passage in split(document)] == [""]
    assert "title: x" in split(document)[0].text
    assert first_heading(document) is None


def test_lines_are_those_of_the_file() -> None:
    document = "\n\n\x0cfirst\n\n" + f"{PARAGRAPH}\n\n" * 8
    for passage in split(document):
        assert document.split("\n")[passage.line - 1].strip().startswith(passage.text.split()[0])


def test_an_empty_document_has_no_passages() -> None:
    assert split("") == split("\n \n") == []


documents = st.lists(
    st.sampled_from(
        ["# A", "## B", "Part\n---", "```", "~~~", "---", "", "text", SENTENCE * 8, SENTENCE * 60, "- item"]
    )
    | st.text(max_size=30)
).map("\n".join)


@given(documents)
def test_no_word_is_lost_and_no_passage_is_too_long(document: str) -> None:
    passages = split(document)
    assert "".join("".join(passage.text for passage in passages).split()) == "".join(document.split())
    assert all(0 < len(passage.text) <= MAX_CHARACTERS for passage in passages)
    assert [passage.ordinal for passage in passages] == list(range(1, len(passages) + 1))
    assert passages == split(document)
