"""One run of a tool: real values in, a checked result out, and errors that name the field."""

import threading
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from llmflow.errors import ToolArgumentsInvalid, ToolOutputInvalid, ToolRefused
from llmflow.tools import run_tool, tool


class Trip(BaseModel):
    model_config = ConfigDict(strict=True)

    city: str
    day: date


@tool
async def book(trip: Trip, persons: int = 1, copy: str | None = None, json: tuple[int, ...] = ()) -> list[Trip]:
    """Book a trip."""
    assert isinstance(trip, Trip)
    assert isinstance(json, tuple)
    return [trip] * persons


TRIP: dict[str, Any] = {"city": "Oslo", "day": "2026-05-01"}


async def test_nested_models_arrive_as_models() -> None:
    assert await run_tool(book, {"trip": TRIP, "persons": 2}) == [Trip(city="Oslo", day=date(2026, 5, 1))] * 2


async def test_parameters_may_have_the_names_of_pydantic() -> None:
    assert await run_tool(book, {"trip": TRIP, "copy": "x", "json": [1, 2]})


async def test_defaults_are_the_function_s_own() -> None:
    assert len(await run_tool(book, {"trip": TRIP})) == 1


@pytest.mark.parametrize(
    ("arguments", "field", "says"),
    [
        ({}, "trip", "trip: Field required"),
        ({"trip": None}, "trip", r"trip: .* \(given: None\)"),
        ({"trip": {"city": "Oslo"}}, "trip.day", r"trip\.day: Field required"),
        ({"trip": {**TRIP, "city": 3}}, "trip.city", r"trip\.city: .* valid string \(given: 3\)"),
        ({"trip": TRIP, "persons": "many"}, "persons", r"persons: .* valid integer.* \(given: 'many'\)"),
        ({"trip": TRIP, "json": [1, "x"]}, "json.1", r"json\.1: .* \(given: 'x'\)"),
        ({"trip": TRIP, "person": 2}, "person", r"unknown argument `person` \(did you mean `persons`\?\)"),
        ({"trip": TRIP, "zzz": 2}, "zzz", r"unknown argument `zzz`; known are: trip, persons, copy, json"),
        ({"trip": TRIP, "p1": 2}, "p1", "unknown argument `p1`"),
        ({"trip": TRIP, "persons": "x" * 100_000}, "persons", r"\(given: 'x{79}\.\.\.\)"),
    ],
)
async def test_arguments_that_do_not_fit(arguments: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(ToolArgumentsInvalid, match=says) as caught:
        await run_tool(book, arguments)
    assert str(caught.value).startswith("tool 'book': ")
    assert caught.value.detail.field == field
    assert not caught.value.retryable


async def test_a_thousand_mistakes_make_a_short_message() -> None:
    with pytest.raises(ToolArgumentsInvalid, match=r"; and 995 more$") as caught:
        wrong: Any = {"trip": TRIP, "json": ["x"] * 1000}
        await run_tool(book, wrong)
    assert len(str(caught.value)) < 1000


async def test_a_result_that_does_not_fit() -> None:
    @tool
    def lie() -> dict[str, int]:
        """Lie."""
        return {"a": "x"}  # type: ignore[dict-item]  # that is the point

    with pytest.raises(
        ToolOutputInvalid, match=r"'lie' returned a value that does not fit its annotation: a: .*given: 'x'"
    ) as caught:
        await run_tool(lie, {})
    assert caught.value.detail.field == "a"


async def test_nothing_may_be_the_result() -> None:
    @tool
    def nothing() -> None:
        """Return nothing."""

    assert await run_tool(nothing, {}) is None


async def test_a_sync_tool_runs_in_a_thread() -> None:
    @tool
    def where() -> str:
        """Say which thread this is."""
        return threading.current_thread().name

    assert await run_tool(where, {}) != threading.current_thread().name


@pytest.mark.parametrize("error", [ToolRefused("no"), ValueError("odd"), TypeError("odd")])
async def test_errors_of_the_tool_itself_pass(error: Exception) -> None:
    @tool
    async def fail() -> None:
        """Fail."""
        raise error

    with pytest.raises(type(error)) as caught:
        await run_tool(fail, {})
    assert caught.value is error


async def test_validation_errors_of_the_tool_itself_pass() -> None:
    @tool
    async def parse() -> Trip:
        """Parse."""
        return Trip.model_validate({})

    with pytest.raises(ValueError, match="2 validation errors for Trip"):
        await run_tool(parse, {})
