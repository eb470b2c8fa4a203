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
from llmflow.converter.storage import open_storage
from llmflow.errors import ConfigInvalid
from llmflow.sdk.contexts import ContextFreeConverter


def data_converter(
    given: DataConverter | None, codec: str | None, storage: str | None, namespace: str
) -> DataConverter:
    """Wrap the user's converters in llmflow's. Their codec and external storage stay.

    Args:
        given: Converter of the client.
        codec: Path of a codec for a client without one.
        storage: URL of an external storage for a client without one.
        namespace: Namespace of the client.

    Raises:
        ConfigInvalid: a converter cannot be wrapped, there is no codec at the path, or the URL cannot be used.
    """
    base = given or DataConverter.default
    if codec and base.payload_codec is None:
        base = with_codec(base, load_codec(codec))
    converter = dataclasses.replace(
        base,
        payload_converter_class=payload_converter(base.payload_converter_class),
        failure_converter_class=failure_converter(base.failure_converter_class),
    )
    if storage is None or base.external_storage:
        return converter
    opened = open_storage(storage, namespace)
    if type(converter) is not DataConverter:
        return dataclasses.replace(converter, external_storage=opened)
    return ContextFreeConverter(
        payload_converter_class=converter.payload_converter_class,
        payload_codec=converter.payload_codec,
        failure_converter_class=converter.failure_converter_class,
        external_storage=opened,
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
