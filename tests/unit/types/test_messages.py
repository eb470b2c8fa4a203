"""Messages and references."""

import pytest
from pydantic import ValidationError

from llmflow.errors import ToolArgumentsInvalid
from llmflow.types.messages import File, Image, Message, Text, ToolCall
from llmflow.types.refs import PromptRef


def test_strings_become_text() -> None:
    image = Image(url="https://example.org/a.png")
    assert Message.user("look", image).parts == (Text(text="look"), image)
    assert Message.system("be brief").role == "system"


def test_text_leaves_out_what_is_none() -> None:
    message = Message.assistant("one", ToolCall(id="1", name="search", arguments="{}"), "two")
    assert message.text == "one\ntwo"


@pytest.mark.parametrize("source", [{}, {"url": "https://example.org", "data": b"x"}])
def test_bytes_come_from_one_place(source: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="exactly one of `url` and `data`"):
        Image.model_validate(source)
    with pytest.raises(ValidationError, match="exactly one of `url` and `data`"):
        File.model_validate({"name": "a.pdf", **source})


@pytest.mark.parametrize("wrong", [{"role": "owner", "parts": []}, {"role": "user", "parts": [{"type": "smell"}]}])
def test_unknown_roles_and_parts_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Message.model_validate(wrong)


def test_a_prompt_reference_is_text() -> None:
    ref = PromptRef(name="research/plan", version="3f9a0c1d2e3f")
    assert str(ref) == "research/plan@3f9a0c1d2e3f"
    assert PromptRef.model_validate("research/plan@3f9a0c1d2e3f") == ref
    assert PromptRef.model_validate_json(ref.model_dump_json()) == ref


def test_the_arguments_of_a_call_are_an_object() -> None:
    assert ToolCall(id="1", name="search", arguments='{"query": "saga"}').values() == {"query": "saga"}


@pytest.mark.parametrize("arguments", ["", '{"query": "sa', '["saga"]', "null", "saga"])
def test_what_is_no_object_is_an_error_that_the_model_can_read(arguments: str) -> None:
    with pytest.raises(ToolArgumentsInvalid, match="arguments of tool 'search' are no JSON"):
        ToolCall(id="1", name="search", arguments=arguments).values()
