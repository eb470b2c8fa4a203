"""Every value crosses as with Temporal's own converter, both ways: open runs outlive a deploy and its rollback."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from annotated_types import Gt
from pydantic import ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.converter import DefaultPayloadConverter, PayloadConverter
from typing_extensions import TypedDict

from llmflow.converter.payloads import LLMFlowPayloadConverter

from .values import BOTH, OURS, Image, Item, Model, Row

PLAIN = DefaultPayloadConverter()
WITH_US = LLMFlowPayloadConverter()


def _name(row: Row) -> str:
    return f"{row[0]}:{str(row[1])[:30]!a}"


def _read(converter: PayloadConverter, payloads: list[Payload], hint: Any) -> object:  # Any: any type
    return converter.from_payloads(payloads, None if hint is None else [hint])[0]


@pytest.mark.parametrize("row", BOTH, ids=_name)
def test_plain_values_cross_both_ways(row: Row) -> None:
    hint, value = row
    plain, ours = PLAIN.to_payloads([value]), WITH_US.to_payloads([value])
    as_plain = _read(PLAIN, plain, hint)
    assert _same(_read(WITH_US, plain, hint), as_plain), "what a plain worker wrote"
    assert _same(_read(PLAIN, ours, hint), as_plain), "after a rollback"
    assert _same(_read(WITH_US, ours, hint), as_plain)


@pytest.mark.parametrize("row", OURS, ids=_name)
def test_pydantics_values_cross(row: Row) -> None:
    hint, value = row
    found = _read(WITH_US, WITH_US.to_payloads([value]), hint)
    assert found == value
    assert type(found) is type(value)


def _same(one: object, other: object) -> bool:
    """Equal and of one type. A type that Temporal reads as a plain list or dict may be the real one with us."""
    return one == other or (isinstance(other, list) and [*iter(one)] == other)  # type: ignore[call-overload]  a deque


@pytest.mark.parametrize(
    ("hint", "value"),
    [(int, "x"), (Item, {"price": 1}), (Item, []), (list[int], ["x"]), (Model, {}), (Image, {"png": {}}), (bytes, 5)],
)
def test_what_neither_reads_is_refused(hint: Any, value: object) -> None:  # Any: any type
    with pytest.raises((ValidationError, TypeError)):
        _read(WITH_US, PLAIN.to_payloads([value]), hint)
    with pytest.raises(Exception):  # noqa: B017 - of Temporal or pydantic, by the type
        _read(PLAIN, PLAIN.to_payloads([value]), hint)


Positive = Annotated[int, Gt(0)]


@dataclass
class Refund:
    """Constraints in a dataclass, beside a field that pydantic would skip."""

    usd: Positive
    seen: bool = field(init=False, default=False)


class Line(TypedDict):
    """Constraints in a dictionary."""

    usd: Positive


@dataclass
class Refunds:
    """And further below."""

    refunds: list[Refund]


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (Positive, -1),
        (Refund, {"usd": -1}),
        (list[Refund], [{"usd": -1}]),
        (Refund | None, {"usd": -1}),
        (dict[str, Refunds], {"a": {"refunds": [{"usd": -1}]}}),
        (Line, {"usd": -1}),
    ],
)
def test_a_constraint_is_kept(hint: Any, value: object) -> None:  # Any: any type
    with pytest.raises(ValidationError, match="greater than 0"):
        _read(WITH_US, PLAIN.to_payloads([value]), hint)


def test_the_order_of_keys_is_kept() -> None:
    [payload] = WITH_US.to_payloads([{"z": 1, "a": 2}])
    assert payload.data == b'{"z":1,"a":2}'


def test_letters_are_not_escaped() -> None:
    [payload] = WITH_US.to_payloads([{"name": "Zoë"}])
    assert payload.data == '{"name":"Zoë"}'.encode()
