"""JSON of values: what pydantic reads and writes, and all that Temporal's own converter does."""

import json
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any, get_args, get_type_hints
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    AdvancedJSONEncoder,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
    JSONTypeConverter,
)

Value = Any  # Any: users' values have every type
Hint = Any  # Any: what stands in a signature: a class, an alias, a union


class JSONConverter(EncodingPayloadConverter):
    """Pydantic's JSON with Temporal's own behind it: plain workers read what is written here, and the reverse.

    Temporal's converter writes bytes in a dataclass as a list of numbers, reads every TypedDict, and keeps the names of
    dataclass fields. Pydantic writes and reads models, Decimals, lengths of time, constraints.
    """

    def __init__(self, given: EncodingPayloadConverter) -> None:
        """Configure.

        Args:
            given: The client's own JSON converter. A pydantic one is used as it is configured; another one comes first
                for all values but pydantic models.
        """
        if isinstance(given, PydanticJSONPlainPayloadConverter):
            self._given, self._pydantic = None, given
        else:
            self._given, self._pydantic = given, PydanticJSONPlainPayloadConverter()

    @property
    def encoding(self) -> str:
        """See base class."""
        return self._pydantic.encoding

    def to_payload(self, value: Value) -> Payload | None:
        """See base class.

        Raises:
            PydanticSerializationError: the value cannot be written.
        """
        if not isinstance(value, BaseModel):
            for write in (self._given.to_payload, self._write) if self._given else (self._write,):
                try:
                    return write(value)
                except (TypeError, ValueError, RecursionError):  # keys of a dict that are no text, say
                    continue
        return self._pydantic.to_payload(value)

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Value:
        """See base class.

        Raises:
            ValidationError: the value does not fit a type that pydantic knows.
            TypeError: the value does not fit another type.
        """
        readers: list[EncodingPayloadConverter] = [self._pydantic, _TEMPORALS]
        if type_hint and _is_misread(type_hint):
            readers.reverse()
        if self._given and not hasattr(type_hint, "__pydantic_validator__"):
            readers.insert(0, self._given)
        problems: list[Exception] = []
        for reader in readers:
            try:
                return reader.from_payload(payload, type_hint)
            except Exception as error:  # of every kind: constructors of users' types run in it
                problems.append(error)
        raise next((one for one in problems if isinstance(one, ValidationError)), problems[-1])

    def _write(self, value: Value) -> Payload:
        return Payload(metadata={"encoding": self.encoding.encode()}, data=_written(value))


def _written(value: Value) -> bytes:
    text = json.dumps(value, cls=_Encoder, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can write as an escape
        return json.dumps(value, cls=_Encoder, separators=(",", ":")).encode()


class _Encoder(AdvancedJSONEncoder):
    """Temporal's encoder, for dataclasses with fields that pydantic alone can write."""

    def default(self, o: Value) -> Value:
        """See base class."""
        if hasattr(o, "__pydantic_serializer__"):
            return to_jsonable_python(o)
        if is_dataclass(o) and not isinstance(o, type):
            return {field.name: getattr(o, field.name) for field in fields(o)}
        try:
            return super().default(o)
        except TypeError:
            return to_jsonable_python(o)


class _PydanticTypes(JSONTypeConverter):
    """Types inside of others that Temporal's converter cannot read by itself."""

    def to_typed_value(self, hint: Hint, value: Value) -> Value:
        """See base class."""
        if _is_temporals(hint):
            return JSONTypeConverter.Unhandled
        return TypeAdapter[Value](hint).validate_json(json.dumps(value))


_TEMPORALS = JSONPlainPayloadConverter(custom_type_converters=[_PydanticTypes()])
"""Made once: the SDK makes a converter for every activation of a workflow."""


def _is_temporals(hint: Hint) -> bool:
    """True for types that Temporal's converter takes apart or makes by itself."""
    if not isinstance(hint, type) or hint.__module__ == "builtins" or hint in (datetime, UUID):
        return True
    of_json = issubclass(hint, dict) or (issubclass(hint, Enum) and issubclass(hint, (int, str)))
    return of_json or _is_plain_dataclass(hint)


@lru_cache(maxsize=1024)
def _cached_is_misread(hint: Hint) -> bool:
    return _misread_in(hint, set())


def _is_misread(hint: Hint) -> bool:
    """True if a dataclass in this type has fields that pydantic would drop or rename in silence.

    It skips fields with `init=False`, and takes the metadata of a field, such as `alias`, for its own.
    """
    try:
        return _cached_is_misread(hint)
    except TypeError:  # not hashable
        return _misread_in(hint, set())


def _misread_in(hint: Hint, seen: set[type]) -> bool:
    if any(_misread_in(one, seen) for one in get_args(hint)):
        return True
    if not _is_plain_dataclass(hint) or hint in seen:
        return False
    seen.add(hint)
    if any(field.metadata or not field.init for field in fields(hint)):
        return True
    try:
        return any(_misread_in(one, seen) for one in get_type_hints(hint).values())
    except NameError:  # a type that only a type checker imports
        return False


def _is_plain_dataclass(hint: Hint) -> bool:
    return isinstance(hint, type) and is_dataclass(hint) and not hasattr(hint, "__pydantic_validator__")
