"""Payloads: values that fit, values that are refused, and the messages of refusals."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.converter import CompositePayloadConverter, EncodingPayloadConverter, JSONPlainPayloadConverter

from llmflow.converter.payloads import LLMFlowPayloadConverter, payload_converter
from llmflow.types.messages import File, Image, Message, Text, ToolCall, ToolResult
from llmflow.types.models import Candidate, ModelOptions
from llmflow.types.problems import misfit
from llmflow.types.prompts import PinnedPrompt, Pins
from llmflow.types.refs import PromptRef
from llmflow.types.usage import Cost, Usage

CONVERTER = LLMFlowPayloadConverter()


class Order(BaseModel):
    item: str
    price: Decimal
    wait: timedelta = timedelta(0)


def back(value: object) -> object:
    return CONVERTER.from_payloads(CONVERTER.to_payloads([value]), [type(value)])[0]


@pytest.mark.parametrize(
    "value",
    [
        Order(item="tea", price=Decimal("1.10"), wait=timedelta(seconds=3)),
        Message.user("look", Image(data=bytes(range(256))), File(name="a.pdf", url="https://example.org/a.pdf")),
        Message.assistant(ToolCall(id="1", name="search", arguments="{}"), ToolResult(id="1", text="found")),
        Pins(
            prompts={"research/plan": PinnedPrompt(version="3f9a0c1d2e3f", model="smart")},
            models={
                "smart": (Candidate(model="openai:gpt", options=ModelOptions(temperature=0, extra={"user": "x"})),)
            },
        ),
        Cost(usd=Decimal("0.000000123"), source="list"),
        Cost(source="no price is known"),
        Usage(input_tokens=3, cache_read_tokens=2),
    ],
)
def test_values_come_back_equal(value: object) -> None:
    assert back(value) == value


def test_defaults_are_not_written() -> None:
    [payload] = CONVERTER.to_payloads([Usage(input_tokens=3)])
    assert payload.data == b'{"input_tokens":3}'
    [payload] = CONVERTER.to_payloads([Message.user("hi")])
    assert payload.data == b'{"role":"user","parts":[{"type":"text","text":"hi"}]}'
    [payload] = CONVERTER.to_payloads([PromptRef(name="a/b", version="0" * 12)])
    assert payload.data == b'"a/b@000000000000"'


@given(st.text())
def test_any_text_survives(text: str) -> None:
    message = Message.user(Text(text=text))
    assert back(message) == message


async def ask() -> str:
    return "an answer"


def test_a_forgotten_await_is_named() -> None:
    forgotten = ask()
    for value in (forgotten, {"answers": [forgotten]}):
        with pytest.raises(TypeError, match=r"it contains a coroutine: is an `await` missing\?") as refused:
            CONVERTER.to_payloads([value])
        assert isinstance(refused.value, ValueError), "as pydantic's converter raises it, and as Temporal's"
    forgotten.close()


@pytest.mark.parametrize(
    ("value", "field", "says"),
    [
        ({"item": "tea"}, "price", "price: Field required"),
        ({"item": 3, "price": "1"}, "item", "item: Input should be a valid string"),
        ([], None, "value: Input should be"),
    ],
)
def test_what_does_not_fit_names_the_field(value: object, field: str | None, says: str) -> None:
    payloads = CONVERTER.to_payloads([value])
    with pytest.raises(ValidationError) as refused:
        CONVERTER.from_payloads(payloads, [Order])
    wrong = misfit(refused.value)
    assert wrong.detail.field == field
    assert "Order" in wrong.message
    assert says in wrong.message


class Money:
    """A class that neither pydantic nor Temporal knows."""

    def __init__(self, cents: int) -> None:
        self.cents = cents


class MoneyJSON(JSONPlainPayloadConverter):
    """JSON of the user's own."""

    def to_payload(self, value: Any) -> Payload | None:  # Any: values of every type
        return super().to_payload({"cents": value.cents} if isinstance(value, Money) else value)

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:  # Any: as above
        return Money(super().from_payload(payload)["cents"]) if type_hint is Money else super().from_payload(payload)


class Reversed(EncodingPayloadConverter):
    """An encoding of the user's own."""

    @property
    def encoding(self) -> str:
        return "text/reversed"

    def to_payload(self, value: Any) -> Payload | None:  # Any: values of every type
        if isinstance(value, str):
            return Payload(metadata={"encoding": b"text/reversed"}, data=value[::-1].encode())
        return None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> str:
        return payload.data.decode()[::-1]


class Theirs(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(Reversed(), MoneyJSON())


def test_a_converter_of_the_users_own_goes_on_working() -> None:
    converter = payload_converter(Theirs)()
    [text, money, order] = converter.to_payloads(["abc", Money(7), Order(item="tea", price=Decimal(1))])
    assert text.data == b"cba"
    assert money.data == b'{"cents":7}'
    found = converter.from_payloads([text, money, order], [str, Money, Order])
    assert (found[0], found[1].cents, found[2]) == ("abc", 7, Order(item="tea", price=Decimal(1)))
    assert payload_converter(type(converter)) is type(converter), "a replayer's plugin gets the client's"
