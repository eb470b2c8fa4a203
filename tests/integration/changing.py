"""One workflow, and the same with changes: those that an open run replays, and those that it does not."""

from dataclasses import replace
from datetime import timedelta
from typing import Literal

from temporalio import workflow

from llmflow import flow
from llmflow.app import App
from tests.integration.hello.app import app as hello

GREET = "hello/greet"


async def greet(name: str) -> str:
    return (await flow.complete(GREET, {"name": name})).output


async def draft_and_list() -> list[str]:
    async with flow.step("draft"):
        draft = await greet("ana")
    return [draft, *(await flow.fan_out(["bo", "cy"], greet)).values]


@workflow.defn(name="Article")
class Before:
    @workflow.run
    async def run(self) -> str:
        found = await draft_and_list()
        await flow.approval("publish")
        return ", ".join(found)


@workflow.defn(name="Article")
class CallAfterTheWait:
    @workflow.run
    async def run(self) -> str:
        found = await draft_and_list()
        await flow.approval("publish")
        return ", ".join([*found, await greet("di")])


@workflow.defn(name="Article")
class OtherOptions:
    @workflow.run
    async def run(self) -> str:
        async with flow.step("draft"):
            patient = flow.CallOptions(start_to_close_timeout=timedelta(minutes=9), task_queue="slow")
            await flow.complete(GREET, {"name": "somebody else"}, call=patient)
        await flow.fan_out(["bo", "cy"], greet)
        await flow.approval("publish", approvers=["ana"], timeout=timedelta(days=1))
        return ""


@workflow.defn(name="Article")
class PlainCode:
    @workflow.run
    async def run(self) -> str:
        found = [text.upper() for text in await draft_and_list()]
        async with flow.step("count"):
            longest = max(map(len, found))
        await flow.approval("publish", {"longest": longest})
        return ""


@workflow.defn(name="Article")
class PatchedCall:
    @workflow.run
    async def run(self) -> str:
        title = await greet("title") if workflow.patched("title") else ""
        found = await draft_and_list()
        await flow.approval("publish")
        return ", ".join([title, *found])


@workflow.defn(name="Article")
class CallBefore:
    @workflow.run
    async def run(self) -> str:
        await greet("title")
        await draft_and_list()
        await flow.approval("publish")
        return ""


@workflow.defn(name="Article")
class RenamedStep:
    @workflow.run
    async def run(self) -> str:
        async with flow.step("write"):
            await greet("ana")
        await flow.fan_out(["bo", "cy"], greet)
        await flow.approval("publish")
        return ""


@workflow.defn(name="Article")
class RemovedStep:
    @workflow.run
    async def run(self) -> str:
        await greet("ana")
        await flow.fan_out(["bo", "cy"], greet)
        await flow.approval("publish")
        return ""


@workflow.defn(name="Article")
class OneAtATime:
    @workflow.run
    async def run(self) -> str:
        async with flow.step("draft"):
            await greet("ana")
        await flow.fan_out(["bo", "cy"], greet, limit=1)
        await flow.approval("publish")
        return ""


@workflow.defn(name="Article")
class NarrowerOutput:
    @workflow.run
    async def run(self) -> str:
        async with flow.step("draft"):
            await flow.complete(GREET, {"name": "ana"}, output=Literal["yes", "no"])
        await flow.fan_out(["bo", "cy"], greet)
        await flow.approval("publish")
        return ""


SAFE = [Before, CallAfterTheWait, OtherOptions, PlainCode, PatchedCall]
UNSAFE = [CallBefore, RenamedStep, RemovedStep, OneAtATime, NarrowerOutput]


def app_of(kind: type) -> App:
    """The App of the tests, with that workflow alone."""
    return replace(hello, workflows=[kind])
