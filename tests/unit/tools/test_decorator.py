"""`@tool`: what it takes from a function, and what it says of one that cannot be a tool."""

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import BaseModel, Field
from temporalio.common import RetryPolicy

from llmflow.errors import ConfigInvalid, InputInvalid
from llmflow.tools import tool
from llmflow.tools.decorator import DEFAULTS
from llmflow.types.calls import CallOptions

from . import postponed

if TYPE_CHECKING:
    from decimal import Decimal


class Place(BaseModel):
    city: str


class Odd:
    pass


class Incomplete(BaseModel):
    part: "NotWrittenYet"  # type: ignore[name-defined]  # noqa: F821  # that is the point


@tool
async def weather(place: Place, days: Annotated[int, Field(ge=1)] = 3, *, schema: str = "metric") -> dict[str, float]:
    """Forecast the weather.

    Only for cities.

    Args:
        place: Where, which
            may be anywhere.
        days (int): How far ahead.
        schema: Units.

    Returns:
        Temperatures.
    """
    return {place.city: float(days)}


def test_a_tool_carries_everything() -> None:
    assert weather.name == "weather"
    assert weather.description == "Forecast the weather.\n\nOnly for cities."
    assert weather.options == CallOptions(
        start_to_close_timeout=timedelta(minutes=1), retry_policy=RetryPolicy(maximum_attempts=4)
    )


def test_options() -> None:
    @tool(name="other-name", start_to_close_timeout=timedelta(seconds=5), task_queue="gpu")
    def named() -> None:
        """Do it."""

    assert named.name == "other-name"
    assert named.options == CallOptions(start_to_close_timeout=timedelta(seconds=5), task_queue="gpu").over(DEFAULTS)


def test_other_options_for_one_call() -> None:
    once = weather.with_options(retry_policy=RetryPolicy(maximum_attempts=1))
    assert once.options == CallOptions(retry_policy=RetryPolicy(maximum_attempts=1)).over(DEFAULTS)
    assert weather.options == DEFAULTS
    assert (once.spec, once.function) == (weather.spec, weather.function)
    with pytest.raises(InputInvalid, match="no field `task_que`"):
        weather.with_options(task_que="gpu")  # type: ignore[call-arg]  # the mistake


def test_a_model_is_told_names_types_descriptions_and_defaults() -> None:
    schema: Any = weather.spec.json_schema
    assert weather.spec.description == weather.description
    assert schema["required"] == ["place"]
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    assert list(properties) == ["place", "days", "schema"]
    assert properties["place"]["description"] == "Where, which may be anywhere."
    assert properties["days"] == {
        "default": 3,
        "description": "How far ahead.",
        "minimum": 1,
        "title": "Days",
        "type": "integer",
    }
    assert properties["schema"]["description"] == "Units."


def test_a_field_describes_itself_better_than_the_docstring() -> None:
    @tool
    def count(text: Annotated[str, Field(description="field")], other: Annotated[str, Field(min_length=1)]) -> int:
        """Count.

        Args:
            text: docstring
            other: docstring
        """
        return len(text + other)

    properties: Any = count.spec.json_schema["properties"]
    assert [value["description"] for value in properties.values()] == ["field", "docstring"]


async def test_a_sync_tool_can_be_called_too() -> None:
    @tool
    def double(number: int) -> int:
        """Double."""
        return number * 2

    assert await double(4) == 8
    assert await weather(Place(city="Oslo"), days=2) == {"Oslo": 2.0}


def test_postponed_annotations_are_read() -> None:
    assert postponed.find.spec.json_schema["required"] == ["place"]
    assert postponed.find.output.dump_python(postponed.Spot(x=1), mode="json") == {"x": 1}


def test_a_wrapped_function_keeps_its_signature() -> None:
    def logged(function: Callable[..., int]) -> Callable[..., int]:
        @functools.wraps(function)
        def wrapper(*args: object, **kwargs: object) -> int:
            return function(*args, **kwargs)

        return wrapper

    @tool
    @logged
    def double(number: int) -> int:
        """Double."""
        return number * 2

    assert double.spec.json_schema["required"] == ["number"]


def no_parameter_annotation(query, limit: int) -> str:  # type: ignore[no-untyped-def]  # that is the point
    """Search."""
    return query


def no_result_annotation(query: str):  # type: ignore[no-untyped-def]  # that is the point
    """Search."""
    return query


def no_docstring(query: str) -> str:
    return query


def only_sections(query: str) -> str:
    """
    Args:
        query: What.
    """
    return query


def many(*queries: str) -> str:
    """Search."""
    return queries[0]


def options(**queries: str) -> str:
    """Search."""
    return queries["a"]


def positional(query: str, /) -> str:
    """Search."""
    return query


def odd_parameter(query: str, how: Odd) -> str:
    """Search."""
    return query


def odd_result(query: str) -> Odd:
    """Search."""
    return Odd()


def incomplete(query: str, what: list[Incomplete]) -> str:
    """Search."""
    return query


def incomplete_result(query: str) -> list[Incomplete]:
    """Search."""
    return []


def only_for_typing(price: "Decimal") -> str:
    """Search."""
    return str(price)


def field_default(query: str = Field("x", min_length=1)) -> str:
    """Search."""
    return query


def yields(query: str) -> Iterator[str]:
    """Search."""
    yield query


async def yields_async(query: str) -> AsyncIterator[str]:
    """Search."""
    yield query


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (no_parameter_annotation, "parameter `query` has no annotation"),
        (no_result_annotation, "the result has no annotation"),
        (no_docstring, "has no docstring; write one"),
        (only_sections, "has no docstring"),
        (many, "parameter `queries` is variadic positional"),
        (options, "parameter `queries` is variadic keyword"),
        (positional, "parameter `query` is positional-only"),
        (odd_parameter, "type of parameter `how`: .*Odd"),
        (odd_result, "type of the result: .*Odd"),
        (incomplete, "type of parameter `what`: name 'NotWrittenYet' is not defined"),
        (incomplete_result, "type of the result: name 'NotWrittenYet' is not defined"),
        (only_for_typing, "name 'Decimal' is not defined; import"),
        (field_default, "write `query: Annotated"),
        (yields, "return a list"),
        (yields_async, "return a list"),
    ],
)
def test_a_function_that_cannot_be_a_tool(function: Callable[..., Any], says: str) -> None:
    with pytest.raises(ConfigInvalid, match=says) as caught:
        tool(function)
    assert f"test_decorator.{function.__name__}`" in str(caught.value)


@pytest.mark.parametrize("name", ["", "with space", "dots.in.it", "ünicode", "x" * 65, "name\n"])
def test_a_name_that_vendors_refuse(name: str) -> None:
    with pytest.raises(ConfigInvalid, match=r"vendors require names like .*; use @tool\(name=\.\.\.\)"):
        tool(name=name)(only_for_typing)


def test_a_lambda_has_no_name() -> None:
    with pytest.raises(ConfigInvalid, match="'<lambda>'"):
        tool(lambda: 1)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"start_to_close_timeout": timedelta(0)}, "start_to_close_timeout=0:00:00: give a time above 0"),
        ({"heartbeat_timeout": 3}, "heartbeat_timeout=3: give a timedelta"),
        ({"retry_policy": RetryPolicy(maximum_attempts=-1)}, "maximum_attempts=-1: give 1 or more"),
        ({"attempts": 1}, "no field `attempts`; it has start_to_close_timeout"),
    ],
)
def test_limits_out_of_range(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigInvalid, match=says):
        tool(**options)(no_docstring)


@pytest.mark.parametrize("thing", [3, Odd, functools.partial(many, "a"), weather])
def test_what_is_no_function(thing: Any) -> None:
    with pytest.raises(ConfigInvalid, match="@tool takes a function"):
        tool(thing)
