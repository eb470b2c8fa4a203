"""An App for the tests of the command line: short workflows that end in every way."""

import asyncio
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, Field
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from llmflow import flow
from llmflow.app import App


class Errand(BaseModel):
    who: str = Field(min_length=1)
    times: int = 1


class Thanks(BaseModel):
    texts: list[str]


@workflow.defn
class Greet:
    """Asks a model, in steps that nest."""

    @workflow.run
    async def run(self, errand: Errand) -> Thanks:
        texts: list[str] = []
        async with flow.step("greet", total=errand.times) as step:
            for _ in range(errand.times):
                async with flow.step("ask"):
                    texts.append((await flow.complete("errands/greet", {"name": errand.who})).output)
                step.advance()
        return Thanks(texts=texts)


@workflow.defn
class Nap:
    """Lasts until it is cancelled."""

    @workflow.run
    async def run(self) -> str:
        async with flow.step("nap"):
            await workflow.sleep(timedelta(days=1))
        return "rested"


@workflow.defn
class Break:
    """Fails inside a step."""

    @workflow.run
    async def run(self, why: str = "no reason") -> None:
        async with flow.step("lift"):
            await asyncio.sleep(0)
            raise ApplicationError(why, type="Broken", non_retryable=True)


@workflow.defn
class Say:
    """Returns a text."""

    @workflow.run
    async def run(self, text: str) -> str:
        return text


@workflow.defn
class SayLater:
    """Returns a text after it has continued as new."""

    @workflow.run
    async def run(self, text: str) -> str:
        if not workflow.info().continued_run_id:
            workflow.continue_as_new(text)
        return text


app = App(
    name="errands",
    workflows=[Break, Greet, Nap, Say, SayLater],
    prompts=Path(__file__).parent / "hello" / "prompts",
)
