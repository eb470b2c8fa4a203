"""Payload conversion: JSON of pydantic's values beside Temporal's own."""

from collections.abc import Sequence
from typing import Any

from pydantic_core import PydanticSerializationError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter, DefaultPayloadConverter, PayloadConverter

from llmflow.converter.json_values import JSONConverter
from llmflow.errors import ConfigInvalid
from llmflow.types.base import unwritable


class _Unwritable(TypeError, ValueError):
    """A value that JSON cannot represent. Temporal's converter raises a TypeError, pydantic's a ValueError."""


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
            TypeError, ValueError: a value cannot be written as JSON; the error is of both classes.
        """
        try:
            return super().to_payloads(values)
        except PydanticSerializationError as error:
            raise _Unwritable(f"a value cannot be written as JSON: {unwritable(error)}") from None


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
