"""References are the same as text and as data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmflow.types.refs import ModelRef, PromptRef, app_of, folder_of, is_alias


@given(st.text().filter(lambda name: ":" not in name), st.text())
def test_a_model_is_read_as_it_was_written(provider: str, model: str) -> None:
    ref = ModelRef(provider, model)
    assert ModelRef.parse(str(ref)) == ref
    assert not is_alias(str(ref))


@pytest.mark.parametrize(
    ("text", "provider", "model"),
    [
        ("openai:gpt-5.4", "openai", "gpt-5.4"),
        ("local:qwen3:8b", "local", "qwen3:8b"),
        ("openai:", "openai", ""),
        (":gpt", "", "gpt"),
        ("smart", "smart", ""),
        ("", "", ""),
    ],
)
def test_a_model_is_what_follows_the_first_colon(text: str, provider: str, model: str) -> None:
    assert ModelRef.parse(text) == ModelRef(provider, model)


def test_what_has_no_colon_is_an_alias() -> None:
    assert is_alias("smart")
    assert not is_alias("openai:")


def test_a_prompt_is_text_on_the_wire() -> None:
    ref = PromptRef(name="research/plan", version="3f9a0c1d2e3f")
    assert ref.model_dump() == str(ref) == "research/plan@3f9a0c1d2e3f"
    assert PromptRef.model_validate(str(ref)) == ref


@pytest.mark.parametrize(
    ("prompt", "app", "folder"),
    [
        ("research/plan", "research", "research"),
        ("research/long/plan", "research", "research/long"),
        ("plan", "plan", ""),
    ],
)
def test_the_name_of_a_prompt_has_its_app_and_folder(prompt: str, app: str, folder: str) -> None:
    assert (app_of(prompt), folder_of(prompt)) == (app, folder)
