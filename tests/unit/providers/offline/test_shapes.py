"""Whatever type is asked for, and whatever the input is: the offline answer fits the type."""

import asyncio
import json
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, LiteralString
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AnyUrl, BaseModel, Field, JsonValue, TypeAdapter, create_model

from llmflow.errors import RequestRejected
from llmflow.providers.offline.provider import Offline
from llmflow.types.messages import Message
from llmflow.types.models import ModelRequest, ModelResponse, OutputSchema
from llmflow.types.providers import NoDeltas

DOCUMENT = """\
Question: How is a budget of 0.50 dollars enforced for high risk runs?

Passage [docs/budgets.md#1] (Budgets):
Budgets are enforced in the store, keyed by the root workflow. The budget of 0.50 dollars is checked before each call.
A run of high risk needs approval by ana@example.com since 2026-02-30, or rather 2026-03-01.

Passage [docs/runs.md#2] (Runs):
A run that reaches its budget stops before the next call is paid, see https://example.com/budgets.
"""


class Risk(Enum):
    LOW = "low"
    HIGH = "high"


class Cat(BaseModel):
    kind: Literal["cat"]
    summary: str


class Run(BaseModel):
    kind: Literal["run"]
    sources: list[str]


class Tree(BaseModel):
    heading: str
    children: list["Tree"] = []
    parent: "Tree | None" = None


def answer(kind: Any, text: str) -> ModelResponse:
    schema = OutputSchema(name="answer", json_schema=TypeAdapter(kind).json_schema())
    return asyncio.run(
        Offline().complete(ModelRequest(model="any", messages=(Message.user(text),), output=schema), NoDeltas())
    )


def fill(kind: Any, text: str = DOCUMENT) -> Any:
    return TypeAdapter(kind).validate_json(answer(kind, text).text)


NAMES = """
answer summary text title heading topic queries keywords sources source_id citations points claims quote gaps relevant
approved confidence count date name reason question open_questions whatever values items_2 x
"""
LENGTHS = st.tuples(st.integers(0, 3), st.integers(0, 4)).map(lambda pair: (pair[0], sum(pair)))


def _sized(kind: Any, lengths: tuple[int, int]) -> Any:
    return Annotated[kind, Field(min_length=lengths[0], max_length=lengths[1])]


def _text(lengths: tuple[int, int]) -> Any:
    return Annotated[str, Field(min_length=lengths[0] * 20, max_length=lengths[1] * 20)]


def _between(kind: Any, low: int, room: int) -> Any:
    return st.sampled_from(
        [
            Annotated[kind, Field(ge=low, le=low + room)],
            Annotated[kind, Field(gt=low - 1, lt=low + room + 1)],
            Annotated[kind, Field(le=low)],
            Annotated[kind, Field(gt=low)],
            Annotated[kind, Field(ge=low, multiple_of=5)],
        ]
    )


LEAVES = st.one_of(
    st.sampled_from([str, int, float, bool, date, datetime, time, UUID, Decimal, AnyUrl, Risk, Any, type(None), Tree]),
    st.sampled_from([Literal["a"], Literal["low", "high"], Literal[1, 2], Literal[True, "x"], Cat | Run]),
    st.just(Annotated[Cat | Run, Field(discriminator="kind")]),
    LENGTHS.map(_text),
    st.tuples(st.sampled_from([int, float]), st.integers(-9, 9), st.integers(0, 9)).flatmap(lambda a: _between(*a)),
)


def _models(fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def build(types: Mapping[LiteralString, tuple[Any, bool]]) -> Any:
        definitions: Any = {name: (kind, ...) if must else (kind | None, None) for name, (kind, must) in types.items()}
        return create_model("Model", **definitions)

    return st.dictionaries(
        st.sampled_from(NAMES.split()), st.tuples(fields, st.booleans()), min_size=1, max_size=5
    ).map(build)


TYPES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        _models(inner),
        st.tuples(inner, LENGTHS).map(lambda pair: _sized(list[pair[0]], pair[1])),
        st.tuples(inner, LENGTHS).map(lambda pair: _sized(dict[str, pair[0]], pair[1])),
        st.tuples(inner, inner).map(lambda pair: tuple[pair]),
        st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1] | None),
    ),
    max_leaves=8,
)
TEXTS = st.one_of(st.sampled_from([DOCUMENT, "", "?", "Question: \n", "one two three"]), st.text(max_size=200))


@settings(max_examples=150)
@given(_models(TYPES), TEXTS)
def test_the_answer_fits_every_type(model: type[BaseModel], text: str) -> None:
    first = answer(model, text)
    model.model_validate_json(first.text)
    assert answer(model, text) == first


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        (Annotated[set[int], Field(min_length=4)], 4),
        (Annotated[set[Annotated[int, Field(ge=5, le=9)]], Field(min_length=5)], 5),
        (Annotated[set[Risk], Field(min_length=2)], 2),
        (Annotated[set[str], Field(min_length=30)], 30),
        (Annotated[frozenset[Literal["a", "b", "c"]], Field(min_length=3)], 3),
        (Annotated[list[str], Field(min_length=50, max_length=50)], 50),
        (Annotated[dict[str, int], Field(min_length=3)], 3),
    ],
)
def test_enough_different_values_are_found(kind: Any, least: int) -> None:
    assert len(fill(kind, "Question: Why so few words?")) >= least


def test_values_are_taken_from_the_input() -> None:
    class Facts(BaseModel):
        risk: Risk
        since: date
        mail: Annotated[str, Field(json_schema_extra={"format": "email"})]
        link: AnyUrl
        dollars: float
        about: Annotated[str, Field(pattern=r"^docs/\w+\.md$")] = ""
        parts: Cat | Run

    facts = fill(Facts, DOCUMENT)
    assert facts.risk is Risk.HIGH
    assert facts.since == date(2026, 3, 1)  # the thirtieth of February is no day
    assert facts.mail == "ana@example.com"
    assert str(facts.link) == "https://example.com/budgets"
    assert facts.dollars == 0.5
    assert facts.about == "docs/budgets.md"
    assert isinstance(facts.parts, Run)  # the input speaks of runs, not of cats


def test_a_score_is_the_share_of_the_question_that_is_covered() -> None:
    class Scores(BaseModel):
        confidence: Annotated[float, Field(ge=0, le=1)]
        score: Annotated[int, Field(ge=1, le=5)]

    covered = fill(Scores, "Question: What is a budget?\n\nA budget is a limit on a run.")
    assert (covered.confidence, covered.score) == (1.0, 5)
    missed = fill(Scores, "Question: What is a budget?\n\nA label can be moved by people.")
    assert (missed.confidence, missed.score) == (0.0, 1)


def test_a_pattern_that_nothing_fits_is_refused() -> None:
    with pytest.raises(RequestRejected, match="no part of the input fits"):
        answer(Annotated[str, Field(pattern=r"^[0-9]{30}$")], DOCUMENT)


def test_a_type_that_contains_itself_without_end_is_refused() -> None:
    node: dict[str, JsonValue] = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    request = ModelRequest(
        model="any", messages=(Message.user("x"),), output=OutputSchema(name="node", json_schema=node)
    )
    with pytest.raises(RequestRejected, match="without end at `next`"):
        asyncio.run(Offline().complete(request, NoDeltas()))


def test_a_schema_written_by_hand_is_filled() -> None:
    schema: Any = {
        "type": "object",
        "properties": {
            "summary": {"type": ["string", "null"], "maxLength": 60},
            "kept": {"allOf": [{"$ref": "#/definitions/kept"}, {"minItems": 1}]},
            "pair": {"type": "array", "prefixItems": [{"const": 7}, {"type": "boolean"}], "minItems": 2},
            "free": {},
            "meta": {"type": "object"},
        },
        "required": ["summary", "undeclared"],
        "definitions": {"kept": {"type": "array", "items": {"enum": ["store", "moon", "workflow"]}}},
    }
    request = ModelRequest(
        model="any", messages=(Message.user(DOCUMENT),), output=OutputSchema(name="x", json_schema=schema)
    )
    value = json.loads(asyncio.run(Offline().complete(request, NoDeltas())).text)
    assert len(value["summary"]) <= 60
    assert value["summary"].endswith("…")
    assert value["kept"] == ["store", "workflow"]
    assert value["pair"] == [7, False]
    assert value["meta"] == {}
    assert isinstance(value["undeclared"], str)
