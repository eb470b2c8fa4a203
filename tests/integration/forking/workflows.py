"""Workflows to be forked."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ChildWorkflowError

from llmflow import flow
from llmflow.errors import ToolRefused
from tests.integration.forking.schemas import Amount, Answer, Claim, Order
from tests.integration.forking.tools import archive, pay, publish, refund, release, reserve


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


@workflow.defn
class Claims:
    """Assesses each claim, asks people about it, and reports; the name is asked again and again, in any order."""

    @workflow.run
    async def run(self, claims: list[Claim]) -> list[str]:
        settled = await flow.fan_out(claims, self.settle)
        late = await flow.approval("second look", timeout=timedelta(hours=1), on_timeout="reject")
        async with flow.step("report"):
            said = f"{', '.join(settled.values)}; {late.by} at {late.at}"
            return [*settled.values, (await flow.complete("forking/note", {"about": said})).output]

    async def settle(self, claim: Claim) -> str:
        assessed = (await flow.complete("forking/plan", {"topic": f"{claim.number} {claim.text}"})).output
        decision = await flow.approval("pay", assessed, form=Amount, approvers=["ana", "bo"])
        if decision.form is None:
            return f"{claim.number}: {decision.by} said no"
        return f"{claim.number}: {decision.form.usd} by {decision.by}"


@workflow.defn
class Payout:
    """Pays each claim in a saga, as much as a model says, and files a report; a payment of more than 100 fails."""

    @workflow.run
    async def run(self, claims: list[Claim]) -> list[str]:
        found = await flow.fan_out(claims, self.settle, on_error="collect")
        async with flow.step("report"):
            report = (await flow.complete("forking/note", {"about": ", ".join(map(str, found.values))})).output
        async with flow.step("file"):
            return [*map(str, found.values), report, str(await flow.call_tool(archive, report))]

    async def settle(self, claim: Claim) -> str:
        usd = int((await flow.complete("forking/plan", {"topic": f"{claim.number} {claim.text}"})).output)
        async with flow.Saga() as saga:
            await saga.do(reserve, claim.number, usd, undo=release)
            try:
                return await saga.do(self.transfer, claim.number, usd, undo=refund)
            except ChildWorkflowError as error:  # wants to go on, which a fork that stops must not
                if claim.text == "careless":
                    return f"{claim.number}: {error.cause}"
                raise

    async def transfer(self, number: str, usd: int) -> str:
        return await workflow.execute_child_workflow(Transfer.run, args=[number, usd])


@workflow.defn
class Transfer:
    """A child that pays, so that it is an effect as a whole."""

    @workflow.run
    async def run(self, number: str, usd: int) -> str:
        return await flow.call_tool(pay, number, usd)


@workflow.defn
class Hesitant:
    """Reserves money, and undoes that if a model has doubts."""

    @workflow.run
    async def run(self, number: str) -> str:
        async with flow.Saga() as saga:
            await saga.do(reserve, number, 10, undo=release)
            if (await flow.complete("forking/note", {"about": number})).output == "doubts":
                raise ToolRefused("a model has doubts")
        return f"10 are reserved for {number}"


@workflow.defn
class Rounds:
    """Files a report in each of so many runs."""

    @workflow.run
    async def run(self, left: int) -> int:
        said = (await flow.complete("forking/note", {"about": f"round {left}"})).output
        await flow.call_tool(archive, said)
        if left:
            workflow.continue_as_new(left - 1)
        return left
