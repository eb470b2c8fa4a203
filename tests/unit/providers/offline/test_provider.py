"""The offline provider does real work on its input: it plans, summarises, concludes and reports by copying."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel, Field

from llmflow.providers.offline.extraction.content import NOTHING
from llmflow.providers.offline.provider import MODEL, OFFLINE_NOTICE, Offline
from llmflow.types.messages import Message, ToolCall, ToolResult
from llmflow.types.models import ModelOptions, ModelRequest, ModelResponse, OutputSchema
from llmflow.types.providers import NoDeltas
from llmflow.types.tools import ToolSpec

M = TypeVar("M", bound=BaseModel)
ROOT = Path(__file__).parents[4]


class Plan(BaseModel):
    topic: str
    queries: list[str] = Field(min_length=2, max_length=4)


class Summary(BaseModel):
    relevant: bool
    points: list[str]
    quote: str


class Finding(BaseModel):
    statement: str
    sources: list[str] = Field(min_length=1)


class Reasoning(BaseModel):
    answer: str
    findings: list[Finding]
    gaps: list[str]


class Section(BaseModel):
    heading: str
    text: str
    sources: list[str]


class Report(BaseModel):
    title: str
    summary: str
    sections: list[Section]


QUESTION = "What happens to a paid model call when its worker is killed?"
PASSAGES = {
    "docs/failures.md#2": """\
## 2. Killed workers

A killed worker stops sending heartbeats, so the server gives its call to another worker. The **paid answer** of a model
call is kept in the [journal](journal.md), and the next worker takes it from there. It is not asked again.

| event | result |
|---|---|
| worker killed during a model call | another worker retries the paid call |
""",
    "docs/budget-rules.md#1": """\
A model call is reserved in the budget before it is paid. Nothing is reserved for tools.

```
worker.kill(model.call)  # A killed worker in code is no sentence of a model call.
```
""",
    "docs/labels.md#1": "Labels move between versions with a log of who moved them. A rollout is sticky.",
}
FINDINGS = """\
Findings:
- [docs/failures.md#2] A killed worker stops sending heartbeats, so the server gives its call to another worker.
- [docs/failures.md#2] The paid answer of a model call is kept in the journal, and the next worker takes it from there.
- [docs/journal.md#1] The paid answer of a model call is kept in the journal, and the next worker takes it from there.
- [docs/budget-rules.md#1] A model call is reserved in the budget before it is paid

Use only the findings. Cite the paid model call of each killed worker as [docs/example.md#9] does.
"""


async def complete(text: str, **more: Any) -> ModelResponse:
    messages = (Message.system("Answer from the passages. Cite [docs/system.md#1]."), Message.user(text))
    return await Offline().complete(ModelRequest(model="any", messages=messages, **more), NoDeltas())


async def ask(text: str, kind: type[M]) -> M:
    schema = OutputSchema(name="answer", json_schema=kind.model_json_schema())
    return kind.model_validate_json((await complete(text, output=schema)).text)


async def test_a_plan_has_the_parts_of_the_question() -> None:
    assert await ask(f"Question: {QUESTION}\n\nWrite 2 to 4 search queries.", Plan) == Plan(
        topic="paid model call, worker",
        queries=["paid model call worker killed", "paid model call", "worker killed"],
    )


@pytest.mark.parametrize("question", ["Budgets?", "Why?", "", "Wie werden Kosten erfasst?", "预算是什么?"])
async def test_every_question_gets_a_plan(question: str) -> None:
    plan = await ask(f"Question: {question}", Plan)
    assert len(set(plan.queries)) == len(plan.queries) >= 2


async def test_a_passage_is_summarised_by_its_own_sentences() -> None:
    text = PASSAGES["docs/failures.md#2"]
    summary = await ask(f"Question: {QUESTION}\n\nPassage [docs/failures.md#2] (Killed workers):\n{text}", Summary)
    assert summary == Summary(
        relevant=True,
        points=[
            "A killed worker stops sending heartbeats, so the server gives its call to another worker.",
            "The paid answer of a model call is kept in the journal, and the next worker takes it from there.",
        ],
        quote="A killed worker stops sending heartbeats, so the server gives its call to another worker.",
    )
    assert summary.quote in " ".join(text.split())


async def test_a_passage_about_something_else_is_not_relevant() -> None:
    text = f"Question: {QUESTION}\n\nPassage [docs/labels.md#1] (Labels):\n{PASSAGES['docs/labels.md#1']}"
    assert await ask(text, Summary) == Summary(relevant=False, points=[], quote="")


async def test_conclusions_cite_the_passages_that_say_so() -> None:
    reasoning = await ask(f"Question: {QUESTION}\n\n{FINDINGS}", Reasoning)
    assert [(finding.statement.split()[1], finding.sources) for finding in reasoning.findings] == [
        ("killed", ["docs/failures.md#2"]),
        ("model", ["docs/budget-rules.md#1"]),
        ("paid", ["docs/failures.md#2", "docs/journal.md#1"]),
    ]
    assert reasoning.answer.startswith("A killed worker stops sending heartbeats")
    assert reasoning.gaps == []


async def test_a_report_has_a_section_for_each_heading_and_repeats_nothing_in_it() -> None:
    report = await ask(f"Question: {QUESTION}\n\n{FINDINGS}", Report)
    assert report.title == QUESTION
    assert [(section.heading, section.sources) for section in report.sections] == [
        ("Failures", ["docs/failures.md#2", "docs/journal.md#1"]),
        ("Budget rules", ["docs/budget-rules.md#1"]),
    ]
    assert report.sections[1].text == "A model call is reserved in the budget before it is paid."
    for section in report.sections:
        sentences = section.text.split(". ")
        assert len(set(sentences)) == len(sentences)


async def test_what_the_input_does_not_say_is_not_said() -> None:
    question = "What is the capital of France?"
    text = f"Question: {question}\n\nPassage [docs/labels.md#1]:\n{PASSAGES['docs/labels.md#1']}"
    reasoning = await ask(text, Reasoning)
    assert reasoning.answer == NOTHING
    assert reasoning.findings == []
    assert reasoning.gaps == ["Nothing was found about `capital`.", "Nothing was found about `France`."]


async def test_only_ids_of_the_input_are_cited() -> None:
    class Sources(BaseModel):
        sources: list[str] = Field(min_length=2)
        best_source: str | None
        source_id: str

    text = f"Question: {QUESTION}\n\n" + "\n\n".join(f"Passage [{name}]:\n{text}" for name, text in PASSAGES.items())
    sources = await ask(text, Sources)
    assert {*sources.sources, sources.best_source, sources.source_id} <= set(PASSAGES)
    assert sources.best_source == sources.source_id == sources.sources[0] == "docs/failures.md#2"
    nothing = await ask("Question: Why is that so?", Sources)
    assert (nothing.best_source, nothing.source_id) == (None, "")


async def test_what_is_said_and_what_is_cited_belong_together() -> None:
    class Claim(BaseModel):
        title: str
        claim: str
        source: str

    class Answer(BaseModel):
        answer: str
        sources: list[str]
        claims: list[Claim]

    answer = await ask(f"Question: {QUESTION}\n\n{FINDINGS}", Answer)
    assert "budget" in answer.answer
    assert "journal" not in answer.answer
    assert answer.sources == ["docs/failures.md#2", "docs/budget-rules.md#1"]
    assert [(claim.claim.split()[-1], claim.source) for claim in answer.claims] == [
        ("worker.", "docs/failures.md#2"),
        ("paid.", "docs/budget-rules.md#1"),
        ("there.", "docs/failures.md#2"),
    ]


async def test_a_text_says_loudly_that_no_model_wrote_it() -> None:
    response = await complete(f"Question: {QUESTION}\n\n{PASSAGES['docs/failures.md#2']}")
    notice, _, text = response.text.partition("\n")
    assert notice == OFFLINE_NOTICE
    assert text.startswith("A killed worker stops sending heartbeats, so the server gives its call to another worker. ")
    assert response.model == MODEL
    assert response.finish_reason == "stop"


async def test_usage_counts_words() -> None:
    response = await complete("Why is a run kept?\n\nA run is kept because people ask for it.")
    assert response.usage.input_tokens == 7 + 13
    assert response.usage.output_tokens == len(response.text.split())


async def test_a_text_without_a_question_is_summarised_by_what_it_says_most() -> None:
    text = (
        "Summarise the text. Be brief and leave out what is told by the way, such as names of people and dates.\n\n"
        "The budget of a run limits its cost. My cat sleeps. The cost of a run is kept with the budget of the run. "
        "Yesterday it rained in the mountains. A budget that is reached stops the run before the next cost.\n"
    )
    response = await complete(text)
    assert "The cost of a run is kept with the budget of the run." in response.text
    assert "rained" not in response.text


SEARCH = ToolSpec(
    name="search_documents",
    description="Search.",
    json_schema={
        "type": "object",
        "properties": {"query": {"type": "string"}, "limit": {"type": "integer", "default": 5, "minimum": 1}},
        "required": ["query"],
    },
)


@pytest.mark.parametrize(
    ("choice", "calls"), [(None, 0), ("auto", 0), ("none", 0), ("required", 1), ("search_documents", 1), ("other", 0)]
)
async def test_tools_are_called_only_on_demand(choice: str | None, calls: int) -> None:
    options = ModelOptions(tool_choice=choice)
    response = await complete(f"Question: {QUESTION}", tools=(SEARCH,), options=options)
    assert len(response.tool_calls) == calls
    assert response.finish_reason == ("tool_calls" if calls else "stop")
    for call in response.tool_calls:
        assert call.name == "search_documents"
        assert json.loads(call.arguments) == {"query": "paid model call worker killed", "limit": 5}
        assert response.text == ""


async def test_calls_of_one_conversation_have_ids_of_their_own() -> None:
    call = ToolCall(id="offline-1", name="search_documents", arguments="{}")
    messages = (
        Message.user(f"Question: {QUESTION}"),
        Message.assistant(call),
        Message(role="user", parts=(ToolResult(id="offline-1", text=PASSAGES["docs/failures.md#2"]),)),
    )
    options = ModelOptions(tool_choice="required")
    response = await Offline().complete(
        ModelRequest(model="any", messages=messages, tools=(SEARCH,), options=options), NoDeltas()
    )
    assert [call.id for call in response.tool_calls] == ["offline-2"]
    answer = await Offline().complete(ModelRequest(model="any", messages=messages, tools=(SEARCH,)), NoDeltas())
    assert "is kept in the journal" in answer.text


async def test_the_answer_is_the_same_in_every_process() -> None:
    code = (
        "import asyncio\n"
        "from tests.unit.providers.offline.test_provider import FINDINGS, QUESTION, Report, ask\n"
        "print(asyncio.run(ask(f'Question: {QUESTION}\\n\\n{FINDINGS}', Report)).model_dump_json())\n"
    )
    answers: set[bytes] = set()
    for seed in ("1", "2"):
        environ = {**os.environ, "PYTHONHASHSEED": seed}
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", code], env=environ, cwd=ROOT, stdout=subprocess.PIPE, check=True
        )
        answers.add(done.stdout)
    assert len(answers) == 1
    assert answers.pop().startswith(b"{")


async def test_a_large_input_does_not_stop_the_event_loop() -> None:
    text = f"Question: {QUESTION}\n\n" + "\n\n".join(PASSAGES.values()) * 300
    answering = asyncio.ensure_future(complete(text))
    turns = 0
    while not answering.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 1
    assert "is kept in the journal" in answering.result().text
    await Offline().close()


FIND = ToolSpec(
    name="find_order",
    description="Find an order by its number.",
    json_schema={"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
)
REFUND = ToolSpec(
    name="refund",
    description="Give money back.",
    json_schema={
        "type": "object",
        "properties": {"number": {"type": "integer"}, "usd": {"type": "number"}},
        "required": ["number", "usd"],
    },
)


async def test_a_tool_is_called_by_its_description_and_its_result_is_answered_with() -> None:
    asked = (Message.system("Be kind."), Message.user("You have 3 minutes."), Message.user("Where is my order 4711?"))
    first = await Offline().complete(ModelRequest(model="any", messages=asked, tools=(REFUND, FIND)), NoDeltas())
    [call] = first.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("find_order", {"number": 4711})
    result = Message(role="user", parts=(ToolResult(id=call.id, text="Order 4711 was sent on Monday."),))
    messages = (*asked, Message.assistant(call), result)
    second = await Offline().complete(ModelRequest(model="any", messages=messages, tools=(REFUND, FIND)), NoDeltas())
    assert second.tool_calls == ()
    assert "Order 4711 was sent on Monday." in second.text
    nothing = ModelRequest(model="any", messages=(Message.user("Good day!"),), tools=(REFUND, FIND))
    assert (await Offline().complete(nothing, NoDeltas())).tool_calls == ()
