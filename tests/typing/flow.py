# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""Types that a type checker must infer of the verbs and of the client, and errors that it must report.

This file is checked, not run. A line that must be an error carries `# pyright: ignore[rule]  # expected: why`; when
pyright stops complaining there, the then unnecessary comment is the error.
"""

from typing import Literal, assert_type

from pydantic import BaseModel, JsonValue
from temporalio import workflow

from llmflow import flow
from llmflow.client import Client, Run
from llmflow.tools import SearchResult, search_documents
from llmflow.types.budgets import Budget


class Plan(BaseModel):
    queries: list[str]


@workflow.defn
class Lookup:
    @workflow.run
    async def run(self, question: str) -> Plan:
        plan = await flow.complete("lookup/plan", {"question": question}, output=Plan)
        assert_type(plan, flow.Completion[Plan])
        assert_type(plan.output, Plan)
        assert_type((await flow.complete("lookup/plan")).output, str)
        assert_type((await flow.complete("lookup/plan", output=list[int])).output, list[int])
        assert_type((await flow.complete("lookup/plan", output=Plan | None)).output, Plan | None)
        assert_type((await flow.complete("lookup/plan", output=Plan | int)).output, Plan | int)
        assert_type((await flow.complete("lookup/plan", output=Literal["a", "b"])).output, Literal["a", "b"])
        assert_type((await flow.complete("lookup/plan", schema={"type": "object"})).output, JsonValue)
        greet = flow.Prompt("lookup/greet", user="Greet {{ name }}.", model="fast")
        assert_type((await flow.complete(greet, {"name": "Ana"}, output=Plan)).output, Plan)
        found = await flow.call_tool(search_documents, query="saga", limit=3)
        assert_type(found, SearchResult)
        async with flow.step("write", total=3) as step:
            assert_type(step, flow.Step)
        decision = await flow.approval("publish", plan.output, form=Plan)
        assert_type(decision, flow.Decision[Plan])
        assert_type(decision.form, Plan | None)
        assert_type(decision.require(), flow.Decision[Plan])
        assert_type(await flow.approval("publish"), flow.Decision)
        assert_type((await flow.approval("publish")).form, None)
        return plan.output

    async def mistakes(self) -> None:
        await flow.call_tool(search_documents)  # pyright: ignore[reportCallIssue]  # expected: `query` is missing
        await flow.call_tool(search_documents, query=3)  # pyright: ignore[reportArgumentType]  # expected: not text
        await flow.call_tool(print, "x")  # pyright: ignore[reportArgumentType, reportCallIssue]  # expected: not a tool
        await flow.approval("publish", on_timeout="shrug")  # pyright: ignore[reportArgumentType]  # expected: no such way
        await flow.approval("publish", form="Plan")  # pyright: ignore[reportArgumentType]  # expected: a type
        await flow.approval("publish", timeout=3)  # pyright: ignore[reportArgumentType]  # expected: a timedelta
        await flow.complete("lookup/plan", output=Plan, schema={})  # pyright: ignore[reportCallIssue]  # expected: one of them
        flow.Prompt("lookup/greet", "Greet.")  # pyright: ignore[reportCallIssue]  # expected: user=
        await flow.complete("lookup/plan", outptu=Plan)  # pyright: ignore[reportCallIssue]  # expected: no such argument


@workflow.defn
class Tick:
    @workflow.run
    async def run(self) -> int:
        return 1


Budget(usd="0.50")
Budget(usd=2, unpriced="allow")
Budget(usd="0.50", unpriced="perhaps")  # pyright: ignore[reportArgumentType]  # expected: no such way


async def client_calls(client: Client) -> None:
    assert_type(await client.start(Lookup.run, "what?", id="a", tags=["x"]), Run[Plan])
    assert_type(await (await client.start(Lookup.run, "what?", id="a")).result(), Plan)
    assert_type(await client.start(Tick.run, id="a"), Run[int])
    await client.start(Lookup.run, 3, id="a")  # pyright: ignore[reportArgumentType, reportCallIssue]  # expected: not text
    await client.start(Lookup.run, "what?")  # pyright: ignore[reportCallIssue]  # expected: no id
    await client.list(state="asleep")  # pyright: ignore[reportArgumentType]  # expected: no such state
