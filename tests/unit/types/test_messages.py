"""Messages and references."""

import pytest
from pydantic import ValidationError

from llmflow.errors import ToolArgumentsInvalid
from llmflow.types.messages import Audio, File, Image, Message, Text, ToolCall, ToolResult, told
from llmflow.types.refs import PromptRef


def test_strings_become_text() -> None:
    image = Image(url="https://example.org/a.png")
    assert Message.user("look", image).parts == (Text(text="look"), image)
    assert Message.system("be brief").role == "system"


def test_text_leaves_out_what_is_none() -> None:
    message = Message.assistant("one", ToolCall(id="1", name="search", arguments="{}"), "two")
    assert message.text == "one\ntwo"


@pytest.mark.parametrize("source", [{}, {"url": "https://example.org", "data": b"x"}, {"data": b"x", "file_id": "f"}])
def test_bytes_come_from_one_place(source: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="exactly one of `url`, `data` and `file_id`"):
        Image.model_validate(source)
    with pytest.raises(ValidationError, match="exactly one of `url`, `data` and `file_id`"):
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
    assert ToolCall(id="1", name="today", arguments=" ").values() == {}, "some vendors write nothing for none"
    assert ToolCall(id="1", name="search", arguments='{"query": "saga"}').values() == {"query": "saga"}


@pytest.mark.parametrize("arguments", ['{"query": "sa', '["saga"]', "null", "saga"])
def test_what_is_no_object_is_an_error_that_the_model_can_read(arguments: str) -> None:
    with pytest.raises(ToolArgumentsInvalid, match="arguments of tool 'search' are no JSON"):
        ToolCall(id="1", name="search", arguments=arguments).values()


@pytest.mark.parametrize("wrong", [Message.user("x"), Message.assistant(ToolCall(id="1", name="a", arguments="{}"))])
def test_only_the_models_own_text_is_continued(wrong: Message) -> None:
    with pytest.raises(ValidationError, match="only text of the assistant can be a `prefix`"):
        Message(role=wrong.role, parts=wrong.parts, prefix=True)


def test_a_prefix_that_has_its_answer_is_not_told_again() -> None:
    asked, begun = Message.user("Why?"), Message.assistant("Because", prefix=True)
    assert told([asked, begun], "v") == (asked, begun)
    answer, again = Message.assistant("Because it is."), Message.user("Sure?")
    assert told([asked, begun, answer, again], "v") == (asked, answer, again)


def test_marks_and_prefixes_take_no_room_without_a_value() -> None:
    assert Message.user("a").model_dump() == {"role": "user", "parts": ({"type": "text", "text": "a"},)}
    assert ToolResult(id="1", text="a").model_dump() == {"type": "tool_result", "id": "1", "text": "a"}
    marked = Message.user(Text(text="a", cache="1h"), Audio(file_id="f"))
    assert Message.model_validate_json(marked.model_dump_json()) == marked
