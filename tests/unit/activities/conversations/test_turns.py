"""Turns of conversations over attempts, runs and outages: nothing is paid twice, and no branch is written twice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llmflow.errors import ConversationLost, StoreUnavailable
from llmflow.stores.conversations.chains import read_chain
from llmflow.stores.database import Database
from llmflow.types.completions import CompletionResult
from llmflow.types.conversations import Head, Instructions, Said, Thread
from llmflow.types.messages import Message, Opaque, ToolCall
from llmflow.types.models import FinishReason, ModelResponse
from tests.unit.activities.test_completions import Bench

FIRST, SECOND = ("run", "complete#1"), ("run", "complete#2")


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with Database(str(tmp_path / "llmflow.db")) as database:
        yield Bench(database, tmp_path)


async def asked(bench: Bench, attempt: int, address: tuple[str, str], head: Head | None, text: str) -> CompletionResult:
    """Make an attempt of a call that says something in a conversation."""
    said = Said(message=Message.user(text))
    instructions = Instructions(prompt=bench.request.prompt, variables={"name": "ana"})
    entries = (said,) if head else (instructions, said)
    thread = Thread(head=head, entries=entries, name="main")
    return await bench.attempt(attempt, address=address, variables={}, thread=thread)


async def said_in(bench: Bench, head: Head | None) -> list[str]:
    assert head
    chain = await read_chain(bench.database, head)
    return [one.entry.message.text for one in chain.entries if isinstance(one.entry, Said)]


async def test_a_retry_returns_the_paid_turn(bench: Bench) -> None:
    first = await asked(bench, 1, FIRST, None, "hi")
    assert await asked(bench, 2, FIRST, None, "hi") == first
    assert len(bench.vendor.requests) == 1
    second = await asked(bench, 1, SECOND, first.head, "more")
    assert second.head and first.head and second.head.branch == first.head.branch
    assert await said_in(bench, second.head) == ["hi", "good day", "more", "good day"]
    assert [one.text for one in bench.vendor.requests[1].messages] == ["Greet ana.", "hi", "good day", "more"]


async def test_an_attempt_that_is_still_at_work_writes_a_branch_of_its_own(bench: Bench) -> None:
    first = await asked(bench, 1, FIRST, None, "hi")
    second = await asked(bench, 1, SECOND, first.head, "more")
    # As if the first attempt had not recorded its answer before the second one looked.
    retried = await asked(bench, 2, SECOND, first.head, "more, says the retry")
    assert retried.head and second.head and retried.head.branch != second.head.branch
    assert (await said_in(bench, second.head))[2] == "more"
    assert (await said_in(bench, retried.head))[2] == "more, says the retry"


async def test_another_run_never_writes_the_branch_of_a_run(bench: Bench) -> None:
    first = await asked(bench, 1, FIRST, None, "hi")
    reset = await asked(bench, 1, ("reset", "complete#2"), first.head, "in the reset run")
    own = await asked(bench, 1, SECOND, first.head, "in the run")
    assert (await said_in(bench, reset.head))[2] == "in the reset run"
    assert (await said_in(bench, own.head))[2] == "in the run"


async def test_a_turn_survives_an_outage_in_the_outbox(bench: Bench) -> None:
    first = await asked(bench, 1, FIRST, None, "hi")

    async def away() -> None:
        await bench.rename("calls", "gone")

    bench.calls.before_record = away
    second = await asked(bench, 1, SECOND, first.head, "more")
    assert second.head
    with pytest.raises(StoreUnavailable, match="does not have the last entries"):
        await read_chain(bench.database, second.head)
    await bench.rename("gone", "calls")
    await bench.calls.catch_up()
    assert await said_in(bench, second.head) == ["hi", "good day", "more", "good day"]


async def test_the_history_has_a_preview_and_the_store_all(bench: Bench) -> None:
    signed = Opaque(vendor="test", content={"signature": "x" * 1000})
    bench.vendor.answer = ModelResponse(
        text="I look it up. " * 100,
        model="big-1",
        finish_reason="tool_calls",
        tool_calls=(ToolCall(id="1", name="search", arguments="{}"),),
        opaque=(signed,),
    )
    first = await asked(bench, 1, FIRST, None, "hi")
    assert len(first.text) == 200 and first.text.endswith("…")
    assert first.opaque == ()
    assert await asked(bench, 2, FIRST, None, "hi") == first
    await asked(bench, 1, SECOND, first.head, "more")
    turn = bench.vendor.requests[1].messages[2]
    assert signed in turn.parts
    assert turn.text == "I look it up. " * 100


async def test_a_conversation_without_a_prompt_is_refused(bench: Bench) -> None:
    thread = Thread(entries=(Said(message=Message.user("hi")),), name="main")
    with pytest.raises(ConversationLost, match="has no prompt"):
        await bench.attempt(1, variables={}, thread=thread)
    assert bench.vendor.requests == []


async def test_an_answer_that_says_nothing_is_no_turn(bench: Bench) -> None:
    endings: tuple[tuple[FinishReason, str], ...] = (("stop", "  \n"), ("unknown", "half an"), ("refused", "No."))
    for reason, text in endings:
        bench.vendor.answer = ModelResponse(text=text, model="big-1", finish_reason=reason)
        assert (await asked(bench, 1, (reason, "complete#1"), None, "hi")).head is None
