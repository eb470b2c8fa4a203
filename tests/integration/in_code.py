"""Workflows whose prompts stand in their code, and whose answers are data or have types that are no class."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, JsonValue
from temporalio import workflow

from llmflow import flow
from llmflow.app import App
from llmflow.flow.patterns import chain, evaluate, prompt_step, route

GREET = flow.Prompt("in_code/greet", user="Greet {{ name }}.", system="Be kind.", model="fast")


class Found(BaseModel):
    page: int


class Verdict(BaseModel):
    score: int
    feedback: str


@workflow.defn
class Greet:
    @workflow.run
    async def run(self, name: str) -> str:
        first = await flow.complete(GREET, {"name": name})
        second = await flow.complete("in_code/greet", {"name": first.output})
        assert first.prompt == second.prompt
        return f"{second.output} {second.prompt.version}"


@workflow.defn(name="Greet")
class GreetOtherwise:
    """The same after a deploy that changed the text."""

    @workflow.run
    async def run(self, name: str) -> str:
        other = flow.Prompt("in_code/greet", user="Say hello to {{ name }}.", model="fast")
        first = await flow.complete(other, {"name": name})
        second = await flow.complete("in_code/greet", {"name": first.output})
        return f"{second.output} {second.prompt.version}"


@workflow.defn
class Wrong:
    """Each mistake with a prompt in code."""

    @workflow.run
    async def run(self, what: str) -> str:
        match what:
            case "two":
                await flow.complete(GREET, {"name": "Ana"})
                given = flow.Prompt("in_code/greet", user="Another {{ name }}.", model="fast")
            case "file":
                given = flow.Prompt("in_code/page", user="On which page is {{ name }}?", model="fast")
            case "file later":
                await flow.complete("in_code/page", {"text": "a"})
                given = flow.Prompt("in_code/page", user="On which page is {{ name }}?", model="fast")
            case "template":
                given = flow.Prompt("in_code/open", user="Greet {{ name.", model="fast")
            case "no app":
                given = flow.Prompt("greet", user="Greet {{ name }}.", model="fast")
            case _:
                given = flow.Prompt("in_code/mute", user="Greet {{ name }}.")
        return (await flow.complete(given, {"name": "Ana"})).output


@workflow.defn
class Answers:
    """One answer, as the way says."""

    @workflow.run
    async def run(self, way: str) -> JsonValue:
        match way:
            case "union":
                found = (await flow.complete("in_code/ask", {"text": "?"}, output=Found | None)).output
                return found.page if found else "nowhere"
            case "literal":
                return (await flow.complete("in_code/ask", {"text": "?"}, output=Literal["yes", "no"])).output
            case "prompt's own":
                return (await flow.complete("in_code/page", {"text": "?"})).output
            case "once":
                return (await flow.complete("in_code/page", {"text": "?"}, repairs=0)).output
            case "bad schema":
                return (await flow.complete("in_code/ask", {"text": "?"}, schema={"type": "objekt"})).output
            case "far schema":
                return (await flow.complete("in_code/ask", {"text": "?"}, schema={"$ref": "http://localhost/x"})).output
            case _:
                schema: dict[str, JsonValue] = {
                    "title": "a page",
                    "type": "object",
                    "properties": {"page": {"$ref": "#/$defs/page"}},
                    "required": ["page"],
                    "$defs": {"page": {"type": "integer", "minimum": 1}},
                }
                return (await flow.complete("in_code/ask", {"text": "?"}, schema=schema)).output


ask = prompt_step("in_code/ask", "text")
classify = prompt_step("in_code/ask", "text", output=Literal["praise", "blame"])
judge = prompt_step("in_code/judge", "topic", "text", output=Verdict)


@workflow.defn
class Steps:
    @workflow.run
    async def run(self, text: str) -> str:
        kind = await route(classify, {"praise": ask, "blame": chain(ask, ask)})(text)
        best = await evaluate(ask, judge, until=8)(text)
        whole = await prompt_step("in_code/page")(Page(text=text))
        return f"{kind}, {best.value}, {whole}"


class Page(BaseModel):
    text: str


app = App(
    name="in_code",
    workflows=[Greet, Wrong, Answers, Steps],
    prompts=Path(__file__).parent / "in_code_prompts",
)
without_files = App(name="in_code", workflows=[Greet])
after_a_deploy = App(name="in_code", workflows=[GreetOtherwise])
