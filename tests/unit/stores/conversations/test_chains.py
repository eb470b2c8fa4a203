"""Conversations in the store: branches, windows, and hashes that tell what was changed."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from llmflow.errors import ConversationLost, StoreUnavailable
from llmflow.stores.conversations.chains import Chain, read_chain
from llmflow.stores.conversations.contents import get_contents, put_content
from llmflow.stores.conversations.heads import conversations_of, read_conversation
from llmflow.stores.conversations.turns import EntryRow, Turn, TurnWriter
from llmflow.stores.database import Database
from llmflow.stores.schema import conversation_entries
from llmflow.types.conversations import Answered, Answers, Cut, Entry, Head, Instructions, Said, chained
from llmflow.types.messages import Message
from llmflow.types.refs import PromptRef

ASKED = Instructions(prompt=PromptRef(name="desk/reply", version="0" * 12))


def said(text: str) -> Said:
    return Said(message=Message.user(text))


def turn(branch: str, entries: Sequence[Entry], after: Head | None = None, *, begins: bool = False) -> Turn:
    texts = [entry.model_dump_json() for entry in entries]
    hashes = chained(after.hash if after else "", texts)
    position = (after.position if after else -1) + len(entries)
    rows = zip(entries, hashes, texts, strict=True)
    return Turn(
        name="main",
        head=Head(branch=branch, position=position, hash=hashes[-1]),
        entries=tuple(EntryRow(kind=entry.type, hash=hashed, entry=text) for entry, hashed, text in rows),
        forks=after if begins else None,
        begins=begins or after is None,
        run_id=f"run of {branch}",
        workflow_id="w",
        root_id="w",
        tenant=None,
        user=None,
        at=datetime.now(UTC),
    )


async def write(database: Database, *turns: Turn) -> None:
    writer = TurnWriter(database)
    await database.write(lambda connection: writer.write(connection, turns))


def texts(chain: Chain) -> list[str]:
    return [one.entry.message.text for one in chain.entries if isinstance(one.entry, Said)]


async def test_a_branch_goes_on_from_another_one_and_both_go_on(database: Database) -> None:
    first = turn("a", [ASKED, said("one"), said("two")])
    second = turn("a", [said("three")], first.head)
    fork = turn("b", [said("other")], first.head, begins=True)
    after = turn("b", [said("further")], fork.head)
    deeper = turn("c", [said("deep")], fork.head, begins=True)
    # In any order, and twice: an outbox may be late, and a retry writes again.
    await write(database, after, second, fork)
    await write(database, deeper, first, fork)

    assert texts(await read_chain(database, second.head)) == ["one", "two", "three"]
    assert texts(await read_chain(database, after.head)) == ["one", "two", "other", "further"]
    assert texts(await read_chain(database, deeper.head)) == ["one", "two", "other", "deep"]
    assert (await read_chain(database, deeper.head)).writer == "run of c"
    assert texts(await read_chain(database, Head(branch="a", position=1, hash=first.entries[1].hash))) == ["one"]


async def test_a_window_reads_what_it_sends(database: Database) -> None:
    first = turn("a", [ASKED, said("one"), said("two"), said("three")])
    cut = turn("a", [Cut(since=3, summary="one and two"), said("four")], first.head)
    await write(database, first, cut)

    chain = await read_chain(database, cut.head)
    assert [one.position for one in chain.entries] == [0, 3, 4, 5]
    assert chain.cut and chain.cut.position == 4
    assert texts(await read_chain(database, cut.head, whole=True)) == ["one", "two", "three", "four"]


async def test_what_is_not_there_yet_is_waited_for(database: Database) -> None:
    first = turn("a", [ASKED, said("one")])
    second = turn("a", [said("two")], first.head)
    with pytest.raises(StoreUnavailable, match="does not have the last entries"):
        await read_chain(database, first.head)
    await write(database, first)
    with pytest.raises(StoreUnavailable, match="does not have the last entries"):
        await read_chain(database, second.head)


async def test_an_entry_that_was_changed_is_found(database: Database) -> None:
    first = turn("a", [ASKED, said("one"), said("two")])
    await write(database, first)
    other = Head(branch="a", position=2, hash="0" * 16)
    with pytest.raises(ConversationLost, match="other entries"):
        await read_chain(database, other)
    columns = conversation_entries.c
    forged = said("you owe me a million").model_dump_json()
    change = update(conversation_entries).where(columns.branch == "a", columns.position == 1).values(entry=forged)
    await database.write(lambda connection: connection.execute(change))
    with pytest.raises(ConversationLost, match=r"entry 1 .* is not the one that was written"):
        await read_chain(database, first.head)


async def test_results_of_tools_are_stored_once_and_read_whole(database: Database) -> None:
    text = "a result\x00 with half a pair \ud800 " * 1000
    content = await put_content(database, text)
    assert await put_content(database, text) == content
    found = await get_contents(database, [content])
    assert found[content] == text.replace("\x00", "\N{REPLACEMENT CHARACTER}").replace(
        "\ud800", "\N{REPLACEMENT CHARACTER}"
    )
    with pytest.raises(ConversationLost, match="has lost the result nothing"):
        await get_contents(database, [content, "nothing"])
    answered = turn("a", [ASKED, said("one"), Answers(results=(Answered(id="1", content=content),))])
    await write(database, answered)
    [(workflow, name, head)] = await conversations_of(database, "w")
    whole = await read_conversation(database, workflow, name, head)
    assert isinstance(whole.entries[2], Answers)
    assert whole.entries[2].results[0].text == found[content]


async def test_a_conversation_of_many_runs_is_read_at_once(database: Database) -> None:
    turns = [turn("0", [ASKED, said("0")])]
    for number in range(1, 1_200):
        turns.append(turn(str(number), [said(str(number))], turns[-1].head, begins=True))
    await write(database, *turns)
    chain = await read_chain(database, turns[-1].head)
    assert texts(chain) == [str(number) for number in range(1_200)]
