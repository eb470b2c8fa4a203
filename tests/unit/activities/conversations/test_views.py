"""Messages of conversations: whatever was said, stopped and cut, every vendor accepts them."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from llmflow.activities.conversations.views import UNANSWERED, cut_of, messages_of
from llmflow.prompts.files import parse_prompt
from llmflow.stores.conversations.chains import Placed
from llmflow.types.conversations import Answered, Answers, ConversationWindow, Cut, Entry, Instructions, Said
from llmflow.types.messages import Message, Opaque, Text, ToolCall, ToolResult

PROMPT = parse_prompt(
    "---\nmodel: fast\n---\nsystem:\nBe kind.\n\nuser:\nHelp {{ name }}.\n", "desk/reply", "reply.prompt"
)
PROMPTS = {str(PROMPT.ref): PROMPT}
MODEL = "openai:gpt-5.4"
HELP = Instructions(prompt=PROMPT.ref, variables={"name": "Ana"})


def call(id: str) -> ToolCall:
    return ToolCall(id=id, name="search", arguments="{}")


def model(*ids: str, text: str = "", by: str = MODEL) -> Said:
    signed = Opaque(vendor="openai", content={"signature": "x"})
    parts = (signed, *([Text(text=text)] if text else []), *map(call, ids))
    return Said(message=Message(role="assistant", parts=parts), model=by)


def view(entries: Sequence[Entry]) -> tuple[Message, ...]:
    placed = [Placed(at, entry) for at, entry in enumerate(entries)]
    asked = [entry for entry in entries if isinstance(entry, Instructions)][-1]
    return messages_of(placed, asked, PROMPTS, PROMPT, {"kept": "a kept text"}, MODEL)


IDS = st.sampled_from(["1", "2", "3"])
ENTRIES: st.SearchStrategy[Entry] = st.one_of(
    st.just(HELP),
    st.builds(lambda text: Said(message=Message.user(text)), st.sampled_from(["hi", "more"])),
    st.builds(lambda ids: model(*ids, text="" if ids else "done"), st.lists(IDS, unique=True)),
    st.builds(lambda ids: Answers(results=tuple(Answered(id=id, text="r") for id in ids)), st.lists(IDS)),
    st.builds(lambda since: Cut(since=since, summary="before" if since % 2 else None), st.integers(0, 12)),
)


@settings(max_examples=500)
@given(st.lists(ENTRIES, max_size=12))
def test_every_call_has_its_result_and_no_result_is_without_a_call(entries: list[Entry]) -> None:
    messages = view([HELP, *entries])

    assert messages[0].role == "system"
    assert all(message.parts for message in messages)
    assert all(message.role != "system" for message in messages[1:])
    for before, message in pairwise(messages):
        asked = [part.id for part in before.parts if isinstance(part, ToolCall)]
        answered = [part.id for part in message.parts if isinstance(part, ToolResult)]
        assert sorted(asked) == sorted(answered)
    assert not any(isinstance(part, ToolCall) for part in messages[-1].parts)


def test_a_turn_that_was_stopped_is_answered() -> None:
    messages = view([HELP, model("1", "2"), Answers(results=(Answered(id="2", content="kept"),)), model(text="so")])
    assert [part for part in messages[3].parts if isinstance(part, ToolResult)] == [
        ToolResult(id="1", text=UNANSWERED),
        ToolResult(id="2", text="a kept text"),
    ]


def test_what_only_a_vendor_reads_goes_back_to_its_model_as_long_as_all_before_it_is_sent() -> None:
    other = model(text="of another model", by="anthropic:claude-sonnet-5")
    messages = view([HELP, model(text="one"), other, Cut(since=1), model(text="two")])
    assert [any(isinstance(part, Opaque) for part in message.parts) for message in messages] == [
        False,  # system
        False,  # said before the cut
        False,  # of another model
        True,
    ]


def test_a_window_cuts_between_turns_and_never_within_one() -> None:
    old: list[Entry] = [
        HELP,
        Said(message=Message.user("first")),
        model("1"),
        Answers(results=(Answered(id="1", text="r" * 400),)),
        model(text="one"),
        Said(message=Message.user("second")),
        model(text="two"),
    ]
    placed = [Placed(at, entry) for at, entry in enumerate(old)]
    third = [Said(message=Message.user("third"))]
    assert cut_of(ConversationWindow(turns=2), placed, third, len(old), None) == Cut(since=5)
    assert cut_of(ConversationWindow(turns=3), placed, third, len(old), None) is None
    assert cut_of(ConversationWindow(tokens=50), placed, third, len(old), None) == Cut(since=5)
    assert cut_of(ConversationWindow(tokens=1), placed, third, len(old), None) == Cut(since=7)
    results = [Answers(results=(Answered(id="1", text="r"),))]
    assert cut_of(ConversationWindow(turns=1), placed, results, len(old), None) is None
    earlier = Placed(2, Cut(since=5, summary="what was"))
    assert cut_of(ConversationWindow(turns=1), placed, third, len(old), earlier) == Cut(since=7, summary="what was")
