# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""Types that a type checker must infer of fan-outs, and errors that it must report. Checked, not run; see `flow.py`."""

from functools import partial
from typing import assert_type

from pydantic import BaseModel
from temporalio import workflow

from llmflow import flow
from llmflow.tools import tool


class Finding(BaseModel):
    text: str


@tool
def count(query: str) -> int:
    """Sync, as tools may be."""
    return len(query)


async def of_module(query: str) -> Finding:
    return Finding(text=query)


@workflow.defn
class Search:
    @workflow.run
    async def run(self, queries: list[str]) -> Finding:
        found = await flow.fan_out(queries, self.investigate, limit=8, on_error="collect", min_success=0.5)
        assert_type(found, flow.FanOut[Finding])
        assert_type(found.values, list[Finding])
        assert_type(found.outcomes[0].value, Finding | None)
        assert_type(found.failures[0].error, Exception | None)
        assert_type((await flow.fan_out(queries, of_module)).values, list[Finding])
        assert_type((await flow.fan_out(queries, lambda query: self.length(query))).values, list[int])
        assert_type(await flow.map_reduce(queries, self.investigate, self.merge), Finding)
        assert_type(await flow.race(lambda: of_module("a"), lambda: of_module("b")), Finding)
        assert_type((await flow.fan_out(queries, count)).values, list[int])
        assert_type(await flow.race(partial(count, "a"), partial(count, "b")), int)
        return await flow.race(lambda: of_module("a"), good=lambda finding: finding.text != "")

    async def investigate(self, query: str) -> Finding:
        return Finding(text=query)

    async def merge(self, findings: list[Finding]) -> Finding:
        return findings[0]

    async def length(self, query: str) -> int:
        return len(query)

    async def mistakes(self) -> None:
        await flow.fan_out([1, 2], self.investigate)  # pyright: ignore[reportArgumentType]  # expected: not text
        await flow.fan_out([1, 2], count)  # pyright: ignore[reportArgumentType]  # expected: not text
        await flow.fan_out(["a"], len)  # pyright: ignore[reportArgumentType]  # expected: not async
        await flow.fan_out(["a"], self.length, on_error="ignore")  # pyright: ignore[reportArgumentType]  # expected: a word
        await flow.map_reduce(["a"], self.length, self.merge)  # pyright: ignore[reportArgumentType]  # expected: not of its results
