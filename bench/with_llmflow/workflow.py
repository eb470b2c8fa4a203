"""The same workflows with llmflow."""

from temporalio import workflow

from bench.schemas import Mail, Outline, Reply
from llmflow import flow


@workflow.defn
class Chain:
    @workflow.run
    async def run(self, mail: Mail) -> Reply:
        outline = (await flow.complete("bench/plan", mail, output=Outline)).output
        draft = await flow.complete("bench/draft", {"text": mail.text, "points": outline.points})
        reply = await flow.complete("bench/polish", {"tone": outline.tone, "draft": draft.output}, output=Reply)
        return reply.output


@workflow.defn
class Call:
    @workflow.run
    async def run(self, mail: Mail) -> Outline:
        return (await flow.complete("bench/plan", mail, output=Outline)).output


@workflow.defn
class Fan:
    @workflow.run
    async def run(self, mails: list[Mail]) -> list[Outline]:
        return (await flow.fan_out(mails, self.plan, limit=len(mails))).values

    async def plan(self, mail: Mail) -> Outline:
        return (await flow.complete("bench/plan", mail, output=Outline)).output
