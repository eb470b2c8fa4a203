"""The research assistant: parse the question, retrieve, summarise in parallel, reason, write, store."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from llmflow import flow
from workflows.research.report import file_name, to_markdown
from workflows.research.schemas import Answer, Plan, Question, Reasoning, Report, Source, Summary
from workflows.research.tools import save_file, search_documents

PASSAGES_PER_QUERY = 4


@workflow.defn
class ResearchAssistant:
    """Answers a question from a folder of documents, and cites what it used."""

    @workflow.run
    async def run(self, question: Question) -> Answer:
        """Answer the question. Each part is a step of the run; each call in it is an activity that survives a crash."""
        async with flow.step("parse"):
            plan = await flow.complete("research/parse", {"question": question.text}, output=Plan)

        async with flow.step("retrieve", total=len(plan.output.queries)) as step:
            passages = await self.retrieve(question, plan.output, step)
        if not passages:
            return Answer(report=None, sources=[], saved=None)

        async with flow.step("summarise", total=len(passages)) as step:
            summaries = await asyncio.gather(*(self.summarise(question, passage, step) for passage in passages))
        notes = [
            {"id": passage.id, "points": summary.points}
            for passage, summary in zip(passages, summaries, strict=True)
            if summary.relevant and summary.points
        ]
        if not notes:
            return Answer(report=None, sources=[], saved=None)

        async with flow.step("reason"):
            asked = {"question": question.text, "notes": notes}
            reasoning = await flow.complete("research/reason", asked, output=Reasoning)

        async with flow.step("write"):
            report = await self.write(question, reasoning.output, passages)

        async with flow.step("store"):
            cited = [passage for passage in passages if passage.id in list(report.cited())]
            name = file_name(workflow.info().workflow_id)
            saved = await flow.call_tool(save_file, path=name, content=to_markdown(question, report, cited))
        return Answer(report=report, sources=cited, saved=saved.location)

    async def retrieve(self, question: Question, plan: Plan, step: flow.Step) -> list[Source]:
        """Return the best passages of each query, each passage once."""
        found: dict[str, Source] = {}
        for query in plan.queries:
            result = await flow.call_tool(
                search_documents, query=query, folder=question.documents, limit=PASSAGES_PER_QUERY
            )
            for passage in result.passages:
                found.setdefault(passage.id, Source.model_validate(passage, from_attributes=True))
            step.advance()
        return list(found.values())

    async def summarise(self, question: Question, passage: Source, step: flow.Step) -> Summary:
        """Summarise what one passage says about the question."""
        asked = {"question": question.text, "passage": passage}
        summary = await flow.complete("research/summarise", asked, output=Summary)
        step.advance()
        return summary.output

    async def write(self, question: Question, reasoning: Reasoning, passages: list[Source]) -> Report:
        """Write the report. One that cites a passage that was never retrieved is sent back once, and then refused."""
        known = [passage.id for passage in passages]
        asked = {"question": question.text, "reasoning": reasoning}
        messages: list[flow.Message] = []
        invented: list[str] = []
        for _ in range(2):
            draft = await flow.complete("research/write", asked, output=Report, messages=messages)
            invented = [source for source in draft.output.cited() if source not in known]
            if not invented:
                return draft.output
            complaint = f"These were never retrieved: {', '.join(invented)}. Cite only: {', '.join(known)}."
            messages = [flow.Message.assistant(draft.text), flow.Message.user(complaint)]
        raise ApplicationError(
            f"the report cites passages that were never retrieved: {', '.join(invented)}",
            type="InventedSources",
            non_retryable=True,
        )
