"""Parsing of a text into a workflow's input, before anything is started."""

from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from temporalio import workflow

from llmflow.app import App
from llmflow.errors import InputInvalid
from llmflow.service.inputs import Workflow, find_workflow


class Depth(BaseModel):
    pages: int


class Question(BaseModel):
    text: str = Field(min_length=3)
    depth: Depth = Depth(pages=1)
    tags: list[str] | None = None


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = ""


@dataclass
class Point:
    x: int


@workflow.defn
class Ask:
    @workflow.run
    async def run(self, question: Question) -> str:
        return question.text


@workflow.defn
class Exact:
    @workflow.run
    async def run(self, question: Strict) -> str:
        return question.text


@workflow.defn(name="greet-someone")
class Greet:
    @workflow.run
    async def run(self, name: str = "ana") -> str:
        return name


@workflow.defn
class Plot:
    @workflow.run
    async def run(self, points: list[Point]) -> int:
        return len(points)


@workflow.defn
class Tick:
    @workflow.run
    async def run(self) -> None:
        """Takes nothing."""


@workflow.defn
class Pair:
    @workflow.run
    async def run(self, one: str, two: str) -> str:
        return one + two


@workflow.defn
class Untyped:
    @workflow.run
    async def run(self, anything) -> Any:  # pyright: ignore  # a user who writes no annotation
        return anything


app = App(name="asks", workflows=[Ask, Exact, Greet, Plot, Tick, Pair, Untyped])


def read(given: str, name: str) -> object:
    return find_workflow(app, name).validate(given)


def test_values_of_the_workflows_own_types() -> None:
    assert read('{"text": "why?", "depth": {"pages": 2}}', "Ask") == Question(text="why?", depth=Depth(pages=2))
    assert read('"bob"', "greet-someone") == "bob"
    assert read('[{"x": 1}]', "Plot") == [Point(1)]
    assert read('{"any": [1]}', "Untyped") == {"any": [1]}


def test_inputs_that_may_be_left_out() -> None:
    assert [name for name in ("Ask", "Tick", "greet-someone") if find_workflow(app, name).optional] == [
        "Tick",
        "greet-someone",
    ]


def test_the_only_workflow_needs_no_name() -> None:
    assert find_workflow(App(name="one", workflows=[Ask]), None).name == "Ask"


@pytest.mark.parametrize(
    ("given", "name", "said"),
    [
        ('{"text": "x"}', "Tick", "Tick takes no input: give none"),
        ('{"text": "x"}', "Ask", "text: String should have at least 3 characters"),
        ('{"txt": "why?"}', "Ask", "`text` is missing (you gave `txt`)"),
        ("{}", "Ask", "`text` is missing. It takes an object: text (string), depth (Depth, optional), tags"),
        ('{"text": "why?", "depth": {"pages": "x"}}', "Ask", "depth.pages: Input should be a valid integer"),
        ('{"text": "why?", "depth": {}}', "Ask", "`depth.pages` is missing"),
        ('{"text": 1, "tags": 2}', "Ask", "text: Input should be a valid string; tags: Input should be a valid"),
        ('{"tex": "why?"}', "Exact", "`tex` is unknown (did you mean `text`?)"),
        ("why?", "Ask", "a text needs quotes of its own"),
        ("[]", "Ask", "Input should be an object"),
        ("3", "greet-someone", "It takes JSON of this type: string"),
        ('[{"y": 1}]', "Plot", "`0.x`"),
        ('"x"', "Pair", "Pair takes 2 arguments; make them one pydantic model"),
        ("1", "Aks", "has no workflow `Aks` (did you mean `Ask`?). It has: Ask, Exact, Pair,"),
    ],
)
def test_what_does_not_fit(given: str, name: str, said: str) -> None:
    with pytest.raises(InputInvalid) as caught:
        read(given, name)
    assert said in caught.value.message


def test_the_first_wrong_field_is_in_the_detail() -> None:
    with pytest.raises(InputInvalid) as caught:
        read('{"text": "why?", "depth": {"pages": "x"}}', "Ask")
    assert caught.value.detail.field == "depth.pages"


def test_many_problems_are_counted() -> None:
    with pytest.raises(InputInvalid, match=r"; and 4 more\. It takes"):
        read("[1, 2, 3, 4, 5, 6, 7, 8, 9]", "Plot")


def test_several_workflows_need_a_name() -> None:
    with pytest.raises(InputInvalid, match="several workflows, name one of them: Ask, Exact"):
        find_workflow(app, None)


def test_an_app_without_workflows() -> None:
    with pytest.raises(InputInvalid, match="It has: none"):
        find_workflow(App(name="empty", workflows=[]), None)


def test_a_type_that_is_no_json() -> None:
    class Socket:
        """A type that pydantic does not know."""

    with pytest.raises(InputInvalid, match="cannot be read from JSON"):
        Workflow.of(_taking(Socket))


def _taking(kind: type) -> type:
    async def run(self: object, value: object) -> None:
        """A class from which a workflow is made."""

    run.__annotations__["value"] = kind
    run.__qualname__ = "Strange.run"
    return workflow.defn(type("Strange", (), {"run": workflow.run(run)}))
