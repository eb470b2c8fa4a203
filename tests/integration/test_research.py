"""The research assistant, with a scripted model and with none."""

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from temporalio.worker import Worker

from llmflow.client import Client, Run, connect
from llmflow.config import Settings
from llmflow.errors import RunNotCompleted
from llmflow.testing import ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.models import ModelRequest
from llmflow.worker import LLMFlowPlugin
from workflows.research.app import app
from workflows.research.report import file_name
from workflows.research.schemas import Finding, Plan, Question, Reasoning, Report, Section, Summary
from workflows.research.workflow import ResearchAssistant

SAGAS = "A saga undoes finished steps in reverse order. Each step registers its compensation before it acts. " * 8
TIMERS = "A durable timer survives a crash of the worker and of the server, and fires when its time has come. " * 8


@pytest.fixture
def documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder of two documents; what the run stores lands beside it."""
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "sagas.md").write_text(f"# Sagas\n\n{SAGAS}\n")
    (folder / "timers.md").write_text(f"# Timers\n\n{TIMERS}\n")
    monkeypatch.chdir(tmp_path)
    return "documents"


def scripted(*drafts: list[str], summary: str = "They undo.") -> ScriptedProvider:
    """Answers each step; the drafts of the report cite these sources, one draft after the other."""
    written = iter(drafts)

    def answer(request: ModelRequest) -> Plan | Summary | Reasoning | Report:
        assert request.output is not None
        match request.output.name:
            case "Plan":
                return Plan(topic="sagas", queries=["saga compensation", "durable timer"])
            case "Summary":
                return Summary(relevant="saga" in request.messages[-1].text, points=["Sagas undo."])
            case "Reasoning":
                return Reasoning(
                    answer="In reverse.", findings=[Finding(statement="Sagas undo.", sources=["sagas.md#1"])], gaps=[]
                )
            case _:
                section = Section(heading="Undo", text="In reverse order.", sources=next(written))
                return Report(title="Sagas", summary=summary, sections=[section])

    return ScriptedProvider(answer)


async def completions_of(run: Run[Any]) -> list[dict[str, Any]]:  # Any: runs of every type; JSON as it is in history
    events = (await run.handle.fetch_history()).events
    results = [
        json.loads(payload.data)
        for event in events
        for payload in event.activity_task_completed_event_attributes.result.payloads
    ]
    return [result for result in results if "cost" in result]


async def test_a_question_becomes_a_cited_report(temporal: str, documents: str) -> None:
    async with environment(app, scripted(["sagas.md#1"]), address=temporal) as env:
        question = Question(text="In which order does a saga undo?", documents=documents)
        run = await env.client.start(ResearchAssistant.run, question, id=env.id())

        answer = await run.result()
        assert [source.id for source in answer.sources] == ["sagas.md#1"]
        assert answer.saved is not None
        saved = Path(answer.saved).read_text()
        assert "In reverse order. [1]" in saved
        assert "1. Sagas (sagas.md:" in saved
        scheduled = await activities_of(run)
        assert scheduled[:3] == ["parse/complete#1", "retrieve/search_documents#1", "retrieve/search_documents#2"]
        assert scheduled[-3:] == ["reason/complete#1", "write/complete#1", "store/save_file#1"]
        assert all(step.status == "completed" for step in await run.steps())
        assert [step.path for step in await run.steps()] == [
            *("parse", "retrieve", "summarise", "reason", "write", "store")
        ]
        await assert_replays(run, app)


async def test_an_invented_source_is_sent_back_once(temporal: str, documents: str) -> None:
    model = scripted(["made-up.md#7"], ["sagas.md#1"])
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(
            ResearchAssistant.run, Question(text="What of sagas?", documents=documents), id=env.id()
        )

        assert [source.id for source in (await run.result()).sources] == ["sagas.md#1"]
        assert (await activities_of(run))[-3:] == ["write/complete#1", "write/complete#2", "store/save_file#1"]
        await assert_replays(run, app)
    complaint = model.requests[-1].messages[-1].text
    assert "never retrieved: made-up.md#7. Cite only:" in complaint


async def test_a_report_that_keeps_inventing_is_refused_and_not_stored(temporal: str, documents: str) -> None:
    async with environment(app, scripted(["made-up.md#7"], ["made-up.md#8"]), address=temporal) as env:
        run = await env.client.start(
            ResearchAssistant.run, Question(text="What of sagas?", documents=documents), id=env.id()
        )

        with pytest.raises(RunNotCompleted, match=r"InventedSources: .*made-up.md#8"):
            await run.result()
        assert "store/save_file#1" not in await activities_of(run)
        await assert_replays(run, app)


async def test_a_source_that_is_invented_in_a_text_is_refused_too(temporal: str, documents: str) -> None:
    model = scripted(["sagas.md#1"], ["sagas.md#1"], summary="They undo [sagas.md#1] [invented.md#1].")
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(
            ResearchAssistant.run, Question(text="What of sagas?", documents=documents), id=env.id()
        )

        with pytest.raises(RunNotCompleted, match=r"InventedSources: .* never retrieved: invented.md#1$"):
            await run.result()


def test_a_report_cites_what_it_lists_and_what_stands_in_brackets() -> None:
    sections = [
        Section(heading="Undo", text="See [b.md#2], [1], a[0] and [the docs].", sources=["a.md#1"]),
        Section(heading="Time", text="See [notes/time zones.md#12] and [a.md#1, d.md#4].", sources=["b.md#2"]),
    ]
    report = Report(title="Sagas", summary="All of it [c.md#3].", sections=sections)
    assert list(report.cited()) == ["a.md#1", "b.md#2", "c.md#3", "notes/time zones.md#12", "d.md#4"]


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("research-6b1f0c9d", r"research-6b1f0c9d\.md"),
        ("team//1", r"team-1-[0-9a-f]{12}\.md"),
        ("team/1", r"team-1-[0-9a-f]{12}\.md"),
        ("../x", r"-x-[0-9a-f]{12}\.md"),
        ("wörk\n", r"w-rk--[0-9a-f]{12}\.md"),
        ("x" * 1000, r"x{80}-[0-9a-f]{12}\.md"),
    ],
)
def test_any_id_of_a_run_names_a_file(run: str, expected: str) -> None:
    assert re.fullmatch(expected, file_name(run))


def test_different_ids_name_different_files() -> None:
    ids = ["team/1", "team//1", "team-1", "x" * 1000, "x" * 999]
    assert len({file_name(id) for id in ids}) == len(ids)


async def test_a_run_of_any_id_stores_its_report(temporal: str, documents: str) -> None:
    async with environment(app, scripted(["sagas.md#1"]), address=temporal) as env:
        question = Question(text="In which order does a saga undo?", documents=documents)
        run = await env.client.start(ResearchAssistant.run, question, id=f"../{env.id()}//1")
        saved = (await run.result()).saved
        assert saved is not None
        assert "In reverse order. [1]" in Path(saved).read_text()


async def test_documents_that_say_nothing_of_it_end_without_a_report(temporal: str, documents: str) -> None:
    model = ScriptedProvider([Plan(topic="cheese", queries=["camembert"])])
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(
            ResearchAssistant.run, Question(text="Which cheese is ripe?", documents=documents), id=env.id()
        )

        answer = await run.result()
        assert (answer.report, answer.sources, answer.saved) == (None, [], None)
        assert await activities_of(run) == ["parse/complete#1", "retrieve/search_documents#1"]


async def test_without_a_model_it_answers_from_the_documents_and_says_so(temporal: str, documents: str) -> None:
    plugin = LLMFlowPlugin(app, settings=Settings(models="offline"))
    connected = (await connect(address=temporal, plugin=plugin)).temporal
    client = Client(connected, task_queue=f"offline-{uuid.uuid4()}")
    async with Worker(connected, task_queue=str(client.task_queue), workflows=app.workflows):
        question = Question(text="In which order does a saga undo finished steps?", documents=documents)
        run = await client.start(ResearchAssistant.run, question, id=f"offline-{uuid.uuid4()}")

        answer = await run.result()
        assert answer.report is not None
        assert "reverse order" in json.dumps(answer.report.model_dump())
        assert {source.path for source in answer.sources} == {"sagas.md"}
        usage = await run.usage()
        assert list(usage.by_model) == ["offline:extractive"]
        assert (usage.total.usd, usage.total.unpriced_calls) == (0, 0)
        assert {result["cost"]["source"] for result in await completions_of(run)} == {"offline: no model was asked"}
        await assert_replays(run, app)


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"text": "x"}, "text: String should have at least 3 characters"),
        ({"documents": "docs"}, "text: Field required"),
        ({"text": "What?", "documents": "nowhere"}, "there is no folder `nowhere`"),
        ({"text": "What?", "documents": "../.."}, "is outside"),
    ],
)
async def test_mistakes_name_what_is_wrong(temporal: str, documents: str, question: dict[str, str], says: str) -> None:
    async with environment(app, scripted(), address=temporal) as env:
        run = await env.client.start("ResearchAssistant", question, id=env.id())

        with pytest.raises(RunNotCompleted, match=says):
            await run.result()
