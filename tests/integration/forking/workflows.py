"""Workflows to be forked."""

import asyncio
from datetime import timedelta

from temporalio import workflow

from llmflow import flow
from tests.integration.forking.schemas import Answer, Order
from tests.integration.forking.tools import publish


@workflow.defn
class Article:
    """Plans, takes notes in parallel, writes in a child, publishes."""

    @workflow.run
    async def run(self, order: Order) -> str:
        async with flow.step("plan"):
            plan = (await flow.complete("forking/plan", {"topic": order.topic})).output
        async with flow.step("notes"):
            notes = await asyncio.gather(*(self.note(part, plan) for part in order.parts))
        text = await workflow.execute_child_workflow(Write.run, args=[", ".join(notes), order.style])
        async with flow.step("publish"):
            await flow.call_tool(publish, text=text)
            await flow.call_tool(publish, text=order.style)
        return text

    async def note(self, part: str, plan: str) -> str:
        async with flow.step(part):
            return (await flow.complete("forking/note", {"about": f"{part} of {plan}"})).output


@workflow.defn
class Write:
    """Twice: a draft, and what is made of it."""

    @workflow.run
    async def run(self, notes: str, style: str) -> str:
        async with flow.step("draft"):
            draft = (await flow.complete("forking/write", {"notes": notes, "style": style})).output
        async with flow.step("final"):
            return (await flow.complete("forking/write", {"notes": draft, "style": style})).output


@workflow.defn
class Chapters:
    """A child for each chapter, which begins when it is told to, and one for the cover."""

    def __init__(self) -> None:
        self.told: list[int] = []

    @workflow.signal
    def begin(self, chapter: int) -> None:
        self.told.append(chapter)

    @workflow.run
    async def run(self, count: int) -> list[str]:
        chapters = await flow.fan_out(range(count), self.chapter)
        async with flow.step("cover"):
            cover = await workflow.execute_child_workflow(Write.run, args=["all chapters", "bold"])
        return [*chapters.values, cover]

    async def chapter(self, number: int) -> str:
        await workflow.wait_condition(lambda: number in self.told)
        return await workflow.execute_child_workflow(Write.run, args=[f"chapter {number}", "prose"])


@workflow.defn
class Waiting:
    """Asks twice, waits to be told, and asks once more."""

    def __init__(self) -> None:
        self.told = False

    @workflow.signal
    def go_on(self) -> None:
        self.told = True

    @workflow.run
    async def run(self, topic: str) -> Answer:
        plan = (await flow.complete("forking/plan", {"topic": topic})).output
        await flow.complete("forking/note", {"about": plan})
        await workflow.wait_condition(lambda: self.told)
        return Answer(text=(await flow.complete("forking/note", {"about": "the end"})).output)


@workflow.defn
class Relay:
    """Asks, and continues as new; the new run asks twice."""

    @workflow.run
    async def run(self, plan: str | None) -> str:
        if plan is None:
            workflow.continue_as_new((await flow.complete("forking/plan", {"topic": "a relay"})).output)
        first = (await flow.complete("forking/note", {"about": plan})).output
        return (await flow.complete("forking/note", {"about": first})).output


@workflow.defn
class Many:
    """Asks about every twentieth of 1,200 numbers, so many at a time, and about the sum of the lengths."""

    @workflow.run
    async def run(self, limit: int) -> str:
        found = await flow.fan_out(range(1_200), self.length, limit=limit)
        return (await flow.complete("forking/note", {"about": f"{sum(found.values)}"})).output

    async def length(self, number: int) -> int:
        """Return the length of the answer."""
        if number % 20:
            return 0
        return len((await flow.complete("forking/note", {"about": str(number)})).output)


@workflow.defn
class Plain:
    """Activities of the user's own, with the ids that Temporal gives them, and a child."""

    @workflow.run
    async def run(self, times: int) -> str:
        text = "two words"
        limit = timedelta(seconds=30)
        counted = await workflow.execute_activity(
            "count_words", text, result_type=dict[str, int], start_to_close_timeout=limit
        )
        stamped = await workflow.execute_activity(
            "stamp", args=[text, times], result_type=bytes, start_to_close_timeout=limit
        )
        await workflow.execute_activity("anything", args=[text, 1], start_to_close_timeout=limit)
        topic = f"{counted['words']} {stamped.decode()}"
        answer = (await flow.complete("forking/plan", {"topic": topic})).output
        return await workflow.execute_child_workflow(Write.run, args=[answer, "verse"])
