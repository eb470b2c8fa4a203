"""Scores that workflow code gives: rows in the store, beside those of people."""

import math
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel
from sqlalchemy import select
from temporalio import workflow

from llmflow import flow
from llmflow.app import App
from llmflow.errors import InputInvalid
from llmflow.flow.patterns import evaluate
from llmflow.stores.database import Database
from llmflow.stores.reports.comparison import compare
from llmflow.stores.schema import scores
from llmflow.testing import ScriptedProvider, activities_of, environment
from llmflow.types.reports import CallFilter

GREET = flow.Prompt("scored/greet", user="Greet {{ name }}.", model="fast")


class Verdict(BaseModel):
    score: float
    feedback: str = ""


@workflow.defn
class Scored:
    """Scores itself, each of its items, and lets a judge score an answer; its child scores as well."""

    @workflow.run
    async def run(self, names: list[str]) -> str:
        async with flow.step("greet"):
            await flow.score("polite", 0.25, comment="no title")
        await flow.fan_out(names, self.one)
        improved = await evaluate(self.draft, self.judge, until=9, max_rounds=2)("bo")
        await evaluate(self.draft, self.lost, until=9, max_rounds=1)("bo")
        if len(names) > 1:
            await workflow.execute_child_workflow(Scored.run, names[:1], id=f"{workflow.info().workflow_id}-child")
        refused: list[str] = []
        for name, value in (("polite", math.nan), (" ", 1.0)):
            try:
                await flow.score(name, value)
            except InputInvalid as error:
                refused.append(error.detail.field or "")
        return f"{improved.judgement.score:g}, {' '.join(refused)}"

    async def one(self, name: str) -> None:
        await flow.score("long", len(name))

    async def draft(self, name: str, *, messages: Sequence[flow.Message] = ()) -> str:
        return (await flow.complete(GREET, {"name": name})).output

    async def judge(self, name: str, answer: str) -> Verdict:
        return Verdict(score=len(answer))

    async def lost(self, name: str, answer: str) -> Verdict:
        return Verdict(score=math.nan)


async def test_scores_of_workflow_code_count_as_those_of_people(temporal: str, tmp_path: Path) -> None:
    store, app = str(tmp_path / "llmflow.db"), App(name="scored", workflows=[Scored])
    model = ScriptedProvider(lambda request: "hello" if len(model.requests) % 2 else "hi")
    async with environment(app, model, address=temporal, store=store) as env:
        run = await env.client.start(Scored.run, ["ana", "bo"], id=env.id())
        assert await run.result() == "5, value name"
        assert await activities_of(run) == ["draft/complete#1", "draft#2/complete#1", "draft#3/complete#1"]
        await run.score("polite", 0.75, by="ana")

    async with Database(store) as database:
        c = scores.c
        query = select(c.name, c.value, c.by, c.comment).where(c.root_id == run.id)
        rows = await database.read(lambda connection: connection.execute(query).all())
        below = f"{run.id}-child/"
        assert {(row.name, row.value, row.by.removeprefix(f"{run.id}/"), row.comment) for row in rows} == {
            ("judge", 5, f"{below}score#1", None),
            ("judge", 5, "score#1", None),
            ("long", 3, f"{below}one[0]/score#1", None),
            ("long", 3, "one[0]/score#1", None),
            ("long", 2, "one[1]/score#1", None),
            ("polite", 0.25, f"{below}greet/score#1", "no title"),
            ("polite", 0.75, "ana", None),
            ("polite", 0.25, "greet/score#1", "no title"),
        }
        [version] = (await compare(database, GREET.name, CallFilter(run=run.id))).rows
        means = {name: (one.value, one.n) for name, one in version.scores.items()}
        assert means == {"judge": (5, 1), "long": (8 / 3, 1), "polite": (1.25 / 3, 1)}
