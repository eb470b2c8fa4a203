"""`flow.run_agent` and `flow.conversation`: what models get, what is scheduled, and that it replays."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from llmflow import flow
from llmflow.client import Run
from llmflow.errors import InputInvalid, RunNotCompleted
from llmflow.flow.agents import Handoff, agent_tool, only, prefixed, renamed
from llmflow.service.conversations import diff_conversations
from llmflow.testing import ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.approvals import Question
from llmflow.types.messages import ToolCall, ToolResult
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.usage import Usage
from tests.helpers.command_line import call
from tests.helpers.waiting import until
from tests.integration.agent_desk import (
    TRIAGE,
    Chat,
    Circle,
    Desk,
    Ends,
    Interrupted,
    Office,
    Reply,
    app,
    clerk,
    find_order,
    refund,
)

DONE = Reply(text="it is on its way", solved=True)


def calls(*made: tuple[str, Any], text: str = "") -> ModelResponse:
    asked = tuple(
        ToolCall(id=f"call_{number}_{name}", name=name, arguments=json.dumps(arguments))
        for number, (name, arguments) in enumerate(made)
    )
    return ModelResponse(
        text=text, model="script", finish_reason="tool_calls", tool_calls=asked, usage=Usage(input_tokens=5)
    )


async def asked(run: Run[Any], name: str) -> Question | None:  # Any: runs with results of every type
    """Wait until the run asks."""
    return await until(lambda: _open(run, name))


async def _open(run: Run[Any], name: str) -> Question | None:  # Any: as above
    questions = (await run.approvals()).questions
    return next((one for one in questions if one.name == name and one.status == "open"), None)


def results(request: ModelRequest) -> list[str]:
    return [part.text for message in request.messages for part in message.parts if isinstance(part, ToolResult)]


async def test_an_agent_calls_tools_until_it_answers(temporal: str) -> None:
    model = ScriptedProvider(
        [
            calls(("find_order", {"number": 7}), ("find_again", {"number": 0}), text="I look it up."),
            calls(("find_again", {"number": 7}), ("find_order", {"n": 7}), ("nothing", {})),
            DONE,
            Reply(text="yes", solved=True),
        ]
    )
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Desk.run, ["Where is order 7?", "Really?"], id=env.id())

        assert await run.result() == ["support: it is on its way (3)", "support: yes (1)"]
        assert await activities_of(run) == [
            "support/complete#1",
            "support/find_order#1",
            "support/find_order#2",
            "support/complete#2",
            "support/find_order#3",
            "support/complete#3",
            "support#2/complete#1",
        ]
        await assert_replays(run, app)
        assert (await run.usage()).total.calls == 4
    first, second, third, last = model.requests
    assert [(one.role, one.text) for one in first.messages] == [
        ("system", "Help."),
        ("user", "The shop is ACME."),
        ("user", "Where is order 7?"),
    ]
    assert [tool.name for tool in first.tools] == [
        "find_order",
        "opening_hours",
        "refund",
        "find_again",
        "transfer_to_billing",
    ]
    found, refused = results(second)
    assert found.startswith("order 7: shipped. ") and len(found) > 4000
    assert refused == "Error: ToolRefused: there is no order 0"
    again, wrong, unknown = results(third)[2:]
    assert "was called 1 times already" in again
    assert "number" in wrong
    assert "there is no tool 'nothing'; there are find_order, opening_hours, find_again, refund" in unknown
    assert third.messages[: len(second.messages)] == second.messages
    assert last.messages[: len(third.messages)] == third.messages
    assert [one.text for one in last.messages[len(third.messages) :]] == [DONE.model_dump_json(), "Really?"]


async def test_an_agent_hands_over_and_the_other_one_goes_on(temporal: str) -> None:
    model = ScriptedProvider(
        [
            calls(("refund", {"number": 7, "usd": 5}), ("transfer_to_billing", {"why": "money"})),
            calls(("transfer_to_billing", {"reason": "money"}), ("refund", {"number": 7, "usd": 5})),
            calls(("refund", {"number": 7, "usd": 5})),
            DONE,
        ]
    )
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Desk.run, ["Give me 5 dollars"], id=env.id())

        assert await run.result() == ["billing: it is on its way (4)"]
        assert await activities_of(run) == [
            "support/complete#1",
            "support/complete#2",
            "billing/complete#1",
            "billing/refund#1",
            "billing/complete#2",
        ]
        await assert_replays(run, app)
    _, second, third, last = model.requests
    refused, wrong = results(second)
    assert "not called" in refused
    assert "reason" in wrong
    assert [(one.role, one.text) for one in third.messages] == [
        ("user", "You are billing."),
        ("user", '{"reason":"money"}'),
    ]
    assert [tool.name for tool in third.tools] == ["refund"]
    assert results(last) == ["refunded 5.0 for 7"]


async def test_people_approve_a_call_once_or_for_the_run(temporal: str) -> None:
    model = ScriptedProvider(
        [
            calls(("refund", {"number": 1, "usd": 20}), text="He is angry."),
            calls(("refund", {"number": 2, "usd": 30})),
            calls(("refund", {"number": 3, "usd": 40})),
            calls(("refund", {"number": 4, "usd": 4})),
            DONE,
        ]
    )
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Desk.run, ["Refund all"], id=env.id())
        waiting = await asked(run, "refund")
        assert waiting
        assert waiting.payload == {"number": 1, "usd": 20}
        assert (
            waiting.details
            == "support asks to call refund\n\nmore than 10 dollars\n\nThe model says:\n\n> He is angry."
        )
        await run.reject("refund", by="ana", comment="too much")
        await asked(run, "refund#2")
        await run.approve("refund#2", by="ana", form={"again": True})

        assert await run.result() == ["support: it is on its way (5)"]
        assert (await activities_of(run)).count("support/refund#1") == 1
        assert [one for one in await activities_of(run) if "refund" in one] == [
            "support/refund#1",
            "support/refund#2",
            "support/refund#3",
        ]
        await assert_replays(run, app)
    assert results(model.requests[-1]) == [
        "Error: ToolRefused: ana rejected `refund`: too much",
        "refunded 30.0 for 2",
        "refunded 40.0 for 3",
        "refunded 4.0 for 4",
    ]


async def test_an_agent_that_makes_no_progress_ends_typed(temporal: str) -> None:
    again = calls(("find_order", {"number": 7}))
    failing = [calls(("refund", {"number": one, "usd": 5, "x": one})) for one in range(5)]
    many = [calls(("find_order", {"number": one})) for one in range(1, 7)]
    for script, says in (
        ([again] * 3, "AgentStuck: agent 'support' asked for the same calls 3 times in a row, and makes no progress"),
        (failing, "AgentStuck: agent 'support' had only failing calls in a row, and makes no progress"),
        (many, "TurnsExceeded: agent 'support' did not answer in 6 turns: raise its `max_turns`, or ask for less"),
    ):
        async with environment(app, ScriptedProvider(script), address=temporal) as env:
            run = await env.client.start(Ends.run, "Where?", id=env.id())
            assert await run.result() == says


async def test_a_conversation_is_forked_cut_and_carried_over(temporal: str) -> None:
    model = ScriptedProvider(lambda request: f"answer {len(request.messages)}")
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Chat.run, 3, id=env.id())
        assert await run.result() == ["answer 6", "answer 6", "answer 6"]
        await assert_replays(run, app)
    texts = [[one.text for one in request.messages] for request in model.requests]
    assert texts[0] == ["Help.", "3 left", "The shop is ACME."]
    assert texts[1] == [*texts[0], "answer 3", "2 left"]
    # Of the prompt, the instructions stay; of what was said, the last three turns.
    assert texts[3] == ["Help.", "2 left", "answer 5", "1 left", "answer 7", "0 left"]
    assert texts[4][-3:] == ["0 left", "answer 6", "in the fork"]
    assert texts[5][-3:] == ["0 left", "answer 6", "on the way"]


async def test_a_local_tool_costs_no_activity(temporal: str) -> None:
    model = ScriptedProvider([calls(("opening_hours", {"day": "Monday"}), ("opening_hours", {"d": 1})), DONE])
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Desk.run, ["When?"], id=env.id())

        assert await run.result() == ["support: it is on its way (2)"]
        assert await activities_of(run) == ["support/complete#1", "support/complete#2"]
        await assert_replays(run, app)
    told, wrong = results(model.requests[1])
    assert told.startswith("on Monday from 9 to 5. Come in. ")
    assert "day: Field required" in wrong


async def test_agents_and_workflows_are_tools(temporal: str) -> None:
    model = ScriptedProvider(
        [
            calls(("clerk", {"task": "Where is 7?"}), ("clerk", {})),
            calls(("search", {"number": 7}), ("search", {"number": "x"})),
            "In Rome.",
            "Rome, they say.",
        ]
    )
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Office.run, id=env.id())

        assert await run.result() == "Rome, they say. 2"
        assert await activities_of(run) == [
            "chief/complete#1",
            "chief/clerk/complete#1",
            "chief/clerk/complete#2",
            "chief/complete#2",
        ]
        await assert_replays(run, app)
        assert (await run.usage()).total.calls == 4
    _, asked_clerk, told, last = model.requests
    assert [one.text for one in asked_clerk.messages] == ["You are a clerk.", "Where is 7?"]
    assert results(told)[0] == "parcel 7 is in Rome"
    assert "number" in results(told)[1]
    assert results(last)[0] == "In Rome."
    assert "task" in results(last)[1]


async def test_people_read_what_was_said(
    temporal: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = str(tmp_path / "calls.db")
    monkeypatch.setenv("LLMFLOW_STORE", store)
    script = [calls(("find_order", {"number": 7}), text="I look."), DONE]
    async with environment(app, ScriptedProvider([*script, *script, DONE]), address=temporal, store=store) as env:
        one = await env.client.start(Desk.run, ["Where is 7?"], id=env.id())
        await one.result()
        other = await env.client.start(Desk.run, ["Where is 7?", "And now?"], id=env.id())
        await other.result()

    shown = await asyncio.to_thread(call, capsys, "conversation", "show", one.id)
    lines = shown.out.splitlines()
    assert shown.code == 0
    assert lines[0].startswith(f"conversation of {one.id} (")
    assert lines[1].startswith("prompt    agent_desk/triage@")
    assert "shop='ACME' · tools find_order, opening_hours, refund, find_again, transfer_to_billing" in lines[1]
    assert lines[2] == "user      Where is 7?"
    assert lines[3] == "model     I look."
    assert lines[4] == '          calls find_order {"number": 7} (call_0_find_order)'
    assert lines[5].startswith("tools     call_0_find_order: order 7: shipped. shipped.")
    exported = await asyncio.to_thread(call, capsys, "conversation", "export", one.id, "--name", "conversation")
    entries = [json.loads(line) for line in exported.out.splitlines()]
    assert [entry["type"] for entry in entries] == ["instructions", "said", "said", "answers", "said"]
    assert len(entries[3]["results"][0]["text"]) > 4000
    parted = await asyncio.to_thread(call, capsys, "conversation", "diff", one.id, other.id, "--json")
    assert parted.json()["same"] == 5
    assert [entry["type"] for entry in parted.json()["other"]] == ["said", "said"]
    nothing = await asyncio.to_thread(call, capsys, "conversation", "show", "no-such-run")
    assert nothing.code == 4
    assert "the store has no conversation of run 'no-such-run'" in nothing.err
    misspelt = await asyncio.to_thread(call, capsys, "conversation", "show", one.id, "--name", "convesation")
    assert "did you mean `conversation`?" in misspelt.err


async def test_a_fork_goes_on_with_the_conversation_and_pays_for_what_follows(temporal: str, tmp_path: Path) -> None:
    store = str(tmp_path / "calls.db")
    script = [calls(("find_order", {"number": 7}), text="I look."), DONE, Reply(text="no", solved=False)]
    model = ScriptedProvider([*script, Reply(text="yes", solved=True), Reply(text="other", solved=True)])
    async with environment(app, model, address=temporal, store=store) as env:
        run = await env.client.start(Desk.run, ["Where is 7?", "Really?"], id=env.id())
        assert await run.result() == ["support: it is on its way (2)", "support: no (1)"]
        fork = await run.fork("support#2")
        assert await fork.result() == ["support: it is on its way (2)", "support: yes (1)"]
        other = await run.fork("support#2", input=["Where is 7?", "And tomorrow?"])
        assert await other.result() == ["support: it is on its way (2)", "support: other (1)"]
        await assert_replays(fork, app)
        assert len(model.requests) == 5
    *_, original, again, changed = model.requests
    assert again.messages == original.messages
    assert changed.messages[:-1] == original.messages[:-1]
    assert changed.messages[-1].text == "And tomorrow?"
    parted = await diff_conversations(store, run.id, fork.id)
    assert parted.same == 6
    assert len(parted.one) == len(parted.other) == 1


async def test_people_are_asked_about_calls_that_fit_alone(temporal: str) -> None:
    wrong = calls(
        ("refund", {"number": 1}), ("refund", {"number": 1, "usd": "NaN"}), ("refund", {"number": 1, "usd": "x"})
    )
    model = ScriptedProvider([wrong, DONE])
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Desk.run, ["Refund it"], id=env.id())
        assert await run.result() == ["support: it is on its way (2)"]
        assert await activities_of(run) == ["support/complete#1", "support/complete#2"]
        await assert_replays(run, app)
    missing, infinite, text = results(model.requests[1])
    assert "usd: Field required" in missing
    assert "finite number" in infinite
    assert "valid number" in text


async def test_what_is_said_during_a_call_is_sent_with_the_next_one(temporal: str) -> None:
    model = ScriptedProvider(["one", "two"])
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Interrupted.run, id=env.id())
        assert await run.result() == "two"
        await assert_replays(run, app)
    assert [one.text for one in model.requests[1].messages][-2:] == ["one", "meanwhile"]


async def test_an_answer_that_does_not_fit_is_asked_again_in_its_conversation(temporal: str) -> None:
    model = ScriptedProvider(["no json", "  ", DONE, DONE])
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Desk.run, ["Where?", "Really?"], id=env.id())
        with pytest.raises(RunNotCompleted, match="is empty"):
            await run.result()
        again = await env.client.start(Desk.run, ["Where?", "Really?"], id=env.id())
        model.requests.clear()
        assert await again.result() == ["support: it is on its way (1)", "support: it is on its way (1)"]
        await assert_replays(run, app)


def test_what_cannot_be_an_agent_is_refused_where_it_is_written() -> None:
    with pytest.raises(InputInvalid, match="use at most 50 letters"):
        flow.Agent("a b", TRIAGE)
    with pytest.raises(InputInvalid, match="max_turns=0: give 1 or more"):
        flow.Agent("a", TRIAGE, max_turns=0)
    with pytest.raises(InputInvalid, match=r"agent 'clerk' is no tool: give flow\.agents\.agent_tool\(clerk\)"):
        flow.Agent("a", TRIAGE, tools=[clerk])  # pyright: ignore[reportArgumentType]  # a user's mistake
    with pytest.raises(InputInvalid, match="keeps=0"):
        Handoff(clerk, keeps=0)
    with pytest.raises(InputInvalid, match="there is no tool 'find'; there are find_order, refund"):
        only([find_order, refund], ["find"])
    with pytest.raises(InputInvalid, match="give description="):
        agent_tool(clerk)
    assert [offer.name for offer in prefixed([find_order, refund], "shop_")] == ["shop_find_order", "shop_refund"]
    with pytest.raises(InputInvalid, match="agent 'a' has two tools 'find_order'"):
        flow.Agent("a", TRIAGE, tools=[find_order, renamed(refund, "find_order")]).offers()


async def test_agents_hand_over_and_back(temporal: str) -> None:
    to_back, to_front = calls(("transfer_to_back", {"reason": "b"})), calls(("transfer_to_front", {"reason": "f"}))
    model = ScriptedProvider([to_back, to_front, "done", *([to_back, to_front] * 5), to_back])
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Circle.run, id=env.id())
        assert await run.result() == "done"
        await assert_replays(run, app)
        assert [one.text for one in model.requests[2].messages if one.role == "system"] == ["Help."]
        again = await env.client.start(Circle.run, id=env.id())
        assert await again.result() == (
            "agent 'front': after 10 handoffs, 'back' is asked: do they go round in circles?"
        )
