"""The review: with a scripted model, and with none."""

import sqlite3
from pathlib import Path

import pytest

from llmflow.errors import ApprovalRejected, RunNotCompleted
from llmflow.providers.offline.provider import Offline
from llmflow.testing import ScriptedProvider, activities_of, approve_when_asked, assert_replays, decider, environment
from llmflow.types.approvals import Decide
from workflows.review.app import app
from workflows.review.demo import demo
from workflows.review.schemas import Article, Notes, Verdict
from workflows.review.workflow import Review

NOTES = Notes(text="The train runs from 3 May. A bed costs 79 euros.", brief="When does the train run?")
DRAFT = Article(title="A train", text="It runs from 3 May.")
GOOD = Verdict(score=9, missing=[])


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Published texts."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def published(here: Path) -> list[str]:
    path = here / ".llmflow" / "review.db"
    return [title for (title,) in sqlite3.connect(path).execute("SELECT title FROM articles")] if path.exists() else []


def says(*said: str | None) -> list[Decide]:
    """Bo's decision on each question."""
    return [Decide(approval="publish", approved=False, by="bo", comment=one or "") for one in said]


async def test_without_a_model_an_article_is_sent_back_and_then_published(temporal: str, here: Path) -> None:
    async with environment(app, Offline(), address=temporal) as env:
        run = await env.client.start(Review.run, demo.input, id=env.id())

        async with decider(env.client, run, [one.decide for one in demo.decisions]):
            reviewed = await run.result()
        assert "all days of the week" in reviewed.article.text
        assert "79 euros" in reviewed.article.text  # what bo asked for
        assert (reviewed.wishes, reviewed.approved_by) == (["What does a bed cost?"], ["ana", "cy"])
        assert await activities_of(run) == [
            *("draft/write/complete#1", "draft/judge/complete#1"),
            "reach#1",
            *("draft#2/write/complete#1", "draft#2/judge/complete#1"),
            "publish/publish#1",
        ]
        assert [question.status for question in (await run.approvals()).questions] == ["rejected", "approved"]
        assert published(here) == [reviewed.article.title]
        assert reviewed.publication.number in demo.show(reviewed)
        await assert_replays(run, app)


async def test_one_yes_publishes_nothing_and_two_do(temporal: str, here: Path) -> None:
    async with environment(app, ScriptedProvider([DRAFT, GOOD]), address=temporal) as env:
        run = await env.client.start(Review.run, NOTES, id=env.id())

        first = await approve_when_asked(run, "publish", by="ana")
        assert (first.status, first.missing, published(here)) == ("open", 1, [])
        second = await approve_when_asked(run, "publish", by="cy")
        assert (second.status, second.missing) == ("approved", 0)
        assert (await run.result()).approved_by == ["ana", "cy"]
        assert published(here) == ["A train"]
        await assert_replays(run, app)


async def test_an_article_is_written_again_until_the_judge_finds_it_good(temporal: str) -> None:
    poor = Verdict(score=4, missing=["the price of a bed"])
    invented = Article(title="A train", text="It runs from 3 May, 365 days.")
    better = Article(title="A train", text="It runs from 3 May. A bed costs 79 euros.")
    model = ScriptedProvider([DRAFT, poor, invented, better, GOOD])
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Review.run, NOTES, id=env.id())

        async with decider(env.client, run, [Decide(approval="publish", approved=True, by=by) for by in ("ana", "bo")]):
            reviewed = await run.result()
        assert (reviewed.article, reviewed.score) == (better, 9)
        assert (await activities_of(run))[:-2] == [
            *("draft/write/complete#1", "draft/judge/complete#1"),
            *("draft/write#2/complete#1", "draft/write#2/complete#2", "draft/judge#2/complete#1"),
        ]
        await assert_replays(run, app)
    assert model.requests[2].messages[-1].text.endswith("- the price of a bed")
    assert model.requests[3].messages[-1].text == "The notes do not have these numbers: 365."


@pytest.mark.parametrize(
    ("said", "rounds", "why"),
    [
        ([None], 1, "bo rejected `publish`$"),
        (["shorter", "longer", "never"], 3, "bo rejected `publish#3`: never"),
    ],
)
async def test_what_is_rejected_for_good_is_not_published(
    temporal: str, here: Path, said: list[str | None], rounds: int, why: str
) -> None:
    model = ScriptedProvider([DRAFT, GOOD] * rounds)
    async with environment(app, model, address=temporal) as env:
        run = await env.client.start(Review.run, NOTES, id=env.id())

        async with decider(env.client, run, says(*said)):
            with pytest.raises(RunNotCompleted, match=why) as failed:
                await run.result()
        assert isinstance(failed.value.__cause__, ApprovalRejected)
        assert published(here) == []
        await assert_replays(run, app)
    assert len(model.requests) == 2 * rounds
    wishes = [one for one in said[:-1] if one]
    assert all(wish in request.messages[1].text for request in model.requests[-2:] for wish in wishes)
