"""The data converter of a client: the user's own, with llmflow's converters around it, and the codec of settings."""

import dataclasses

from temporalio.converter import (
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)

from llmflow.app import load_module
from llmflow.converter.failures import failure_converter
from llmflow.converter.payloads import payload_converter
from llmflow.errors import ConfigInvalid


def data_converter(given: DataConverter | None, codec: str | None) -> DataConverter:
    """Wrap the user's converters in llmflow's. Their codec and external storage stay.

    Args:
        given: Converter of the client.
        codec: Path of a codec for a client without one.

    Raises:
        ConfigInvalid: a converter cannot be wrapped, or there is no codec at the path.
    """
    base = given or DataConverter.default
    if codec and base.payload_codec is None:
        base = with_codec(base, load_codec(codec))
    return dataclasses.replace(
        base,
        payload_converter_class=payload_converter(base.payload_converter_class),
        failure_converter_class=failure_converter(base.failure_converter_class),
    )


def with_codec(base: DataConverter, codec: PayloadCodec) -> DataConverter:
    """Encode payloads, and the messages and traces of failures, which often quote them."""
    failures = base.failure_converter_class
    if failures is DefaultFailureConverter:
        failures = DefaultFailureConverterWithEncodedAttributes
    return dataclasses.replace(base, payload_codec=codec, failure_converter_class=failures)


def load_codec(path: str) -> PayloadCodec:
    """Import the codec at `package.module:attribute`: a `PayloadCodec`, or a function without arguments that makes one.

    Raises:
        ConfigInvalid: no codec is there; the message names the wrong part of the path.
    """
    module, attribute = load_module("codec", path)
    found = getattr(module, attribute, None)
    made = found() if callable(found) else found
    if not isinstance(made, PayloadCodec):
        raise ConfigInvalid(
            f"codec {path!r}: {attribute!r} of module {module.__name__!r} is neither a PayloadCodec of Temporal nor a "
            "function that makes one"
        )
    return made
