"""Payload conversion, with a guard against values for which Temporal terminates or hangs the run."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter, DefaultPayloadConverter, PayloadConverter

from llmflow.converter.json_values import JSONConverter
from llmflow.errors import ConfigInvalid, ErrorDetail, InputInvalid, PayloadTooLarge
from llmflow.types.base import unwritable
from llmflow.types.problems import described, path_of, problems_of

MAX_PAYLOAD_BYTES = 1_500_000
"""Bytes of one value. Temporal's limit is 2 MB; the rest is for an encrypting codec, and for the event around it."""


class LLMFlowPayloads(CompositePayloadConverter):
    """JSON as `JSONConverter` has it, for any converter of several encodings: mix it in before that one's class."""

    def __init__(self) -> None:
        super().__init__()
        self.converters = {
            encoding: JSONConverter(one) if one.encoding == "json/plain" else one
            for encoding, one in self.converters.items()
        }

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:  # Any: values of every type
        """See base class.

        Raises:
            PayloadTooLarge: a value has more than `MAX_PAYLOAD_BYTES`; nothing is sent.
            InputInvalid: a value cannot be written as JSON; nothing is sent.
        """
        try:
            payloads = super().to_payloads(values)
        except PydanticSerializationError as error:
            raise InputInvalid(f"a value cannot be written as JSON: {unwritable(error)}") from None
        for value, payload in zip(values, payloads, strict=True):
            if payload.ByteSize() > MAX_PAYLOAD_BYTES:
                raise _too_large(value, payload.ByteSize())
        return payloads

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """See base class.

        Raises:
            InputInvalid: a value does not fit its type; names the first field.
        """
        try:
            return super().from_payloads(payloads, type_hints)
        except ValidationError as error:
            raise _does_not_fit(error) from None


class LLMFlowPayloadConverter(LLMFlowPayloads, PydanticPayloadConverter):
    """The converter of clients that have Temporal's default or its pydantic one."""


def payload_converter(given: type[PayloadConverter]) -> type[PayloadConverter]:
    """Return a converter of llmflow's values that leaves all others to the given one.

    Raises:
        ConfigInvalid: it does not have one converter for each encoding, so it cannot be known which values it takes.
    """
    if issubclass(given, LLMFlowPayloads):
        return given
    if given in (DefaultPayloadConverter, PydanticPayloadConverter):
        return LLMFlowPayloadConverter
    if not issubclass(given, CompositePayloadConverter):
        raise ConfigInvalid(
            f"{given.__name__} cannot be combined with llmflow, because it is no CompositePayloadConverter: derive it "
            "from that one, or use `payload_codec` for encryption"
        )
    return type(f"LLMFlow{given.__name__}", (LLMFlowPayloads, given), {})


def _too_large(value: object, size: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"a {type(value).__name__} of {size:,} bytes is too large for Temporal (at most {MAX_PAYLOAD_BYTES:,}): "
        "pass a reference (a path, a URL, an id) instead of the content, or split it",
        ErrorDetail(size=size),
    )


def _does_not_fit(error: ValidationError) -> InputInvalid:
    field = path_of(problems_of(error)[0]) or None
    return InputInvalid(f"the value does not fit {error.title}: {described(error)}", ErrorDetail(field=field))
