"""The letters desk: each pattern inside another, with a scripted model, and with none."""

from collections.abc import Callable

import pytest

from llmflow.providers.offline.provider import Offline
from llmflow.testing import ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.models import ModelRequest
from workflows.patterns.app import app
from workflows.patterns.demo import demo
from workflows.patterns.schemas import Answer, Letter, Plan, Subject, Verdict
from workflows.patterns.workflow import LATER, LettersDesk

LETTER = Letter(text="When do you open? What is a ticket?", facts="We open at 7. A ticket is 4 euros.")
SORTED = [
    *(f"sort/section[0]/vote/classify[{ballot}]/complete#1" for ballot in range(3)),
    "sort/section[1]/subject/complete#1",
]
ORCHESTRA = "route/orchestrate"


def model(*ballots: str, score: Callable[[str], int] = lambda answer: 9) -> ScriptedProvider:
    """Ballots in this order, and for every question the answer `known`, or `better` after the judge's feedback."""
    left = list(ballots)

    def answer(request: ModelRequest) -> str | Subject | Plan | Answer | Verdict:
        text = request.messages[-1].text
        match request.output and request.output.name:
            case "Subject":
                return Subject(subject="opening")
            case "Plan":
                return Plan(requests=["When do you open?", "What is a ticket?"])
            case "Answer":
                return Answer(text="better" if text == "say more" else "known")
            case "Verdict":
                return Verdict(score=score(text), feedback="say more")
            case _:
                return f'"{left.pop()}"'

    return ScriptedProvider(answer)


async def test_without_a_model_every_question_is_answered_from_the_facts(temporal: str) -> None:
    async with environment(app, Offline(), address=temporal) as env:
        run = await env.client.start(LettersDesk.run, demo.input, id=env.id())

        reply = await run.result()
        assert sorted(answer.split()[1] for answer in reply.text.split("\n\n")) == ["pool", "sauna", "ticket"]
        assert (reply.rounds, reply.colleague) == ([1, 1, 1], "")
        scheduled = await activities_of(run)
        assert sorted(scheduled[:4]) == SORTED
        assert scheduled[4] == f"{ORCHESTRA}/plan/complete#1"
        assert sorted(scheduled[5:]) == [
            f"{ORCHESTRA}/evaluate[{question}]/{step}/complete#1"
            for question in range(3)
            for step in ("answer", "judge")
        ]
        assert reply.text in demo.show(reply)
        await assert_replays(run, app)


async def test_an_answer_is_improved_by_what_its_judge_says(temporal: str) -> None:
    provider = model("question", "complaint", "question", score=lambda answer: 9 if "better" in answer else 3)
    async with environment(app, provider, address=temporal) as env:
        run = await env.client.start(LettersDesk.run, LETTER, id=env.id())

        reply = await run.result()
        assert (reply.text, reply.rounds, reply.colleague) == ("better\n\nbetter", [2, 2], "")
        scheduled = await activities_of(run)
        assert sorted(scheduled[5:]) == [
            f"{ORCHESTRA}/evaluate[{question}]/{step}/complete#1"
            for question in range(2)
            for step in ("answer#2", "answer", "judge#2", "judge")
        ]
        await assert_replays(run, app)


async def test_an_answer_that_stays_bad_stops_the_chain(temporal: str) -> None:
    async with environment(app, model(*["question"] * 3, score=lambda answer: 3), address=temporal) as env:
        run = await env.client.start(LettersDesk.run, LETTER, id=env.id())

        reply = await run.result()
        assert reply.text == LATER
        assert reply.colleague == "guard `is_sure` rejects the value: 2 of 2 answers are not good enough"
        assert len(await activities_of(run)) == 13
        await assert_replays(run, app)


@pytest.mark.parametrize(
    ("ballots", "colleague"),
    [
        (["complaint", "question", "complaint"], "kind of the letter: complaint"),
        (["question", "complaint", "other"], "`classify` is undecided: 2 of 3 have to agree"),
    ],
)
async def test_a_complaint_and_what_is_undecided_go_to_a_colleague(
    temporal: str, ballots: list[str], colleague: str
) -> None:
    async with environment(app, model(*ballots), address=temporal) as env:
        run = await env.client.start(LettersDesk.run, LETTER, id=env.id())

        reply = await run.result()
        assert reply.text == LATER
        assert reply.colleague.startswith(colleague)
        assert sorted(await activities_of(run)) == SORTED
        await assert_replays(run, app)
