"""The research assistant, with a scripted model and with none."""

import json
from pathlib import Path

import pytest

from llmflow.errors import RunNotCompleted
from llmflow.providers.offline import Offline
from llmflow.testing import ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.models import ModelRequest
from workflows.research.app import app
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


def scripted(*drafts: list[str]) -> ScriptedProvider:
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
                return Report(title="Sagas", summary="They undo.", sections=[section])

    return ScriptedProvider(answer)


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
    async with environment(app, Offline(), address=temporal) as env:
        question = Question(text="In which order does a saga undo finished steps?", documents=documents)
        run = await env.client.start(ResearchAssistant.run, question, id=env.id())

        answer = await run.result()
        assert answer.report is not None
        assert "reverse order" in json.dumps(answer.report.model_dump())
        assert {source.path for source in answer.sources} == {"sagas.md"}
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
