"""JSON of values: what pydantic reads and writes, and all that Temporal's own converter does."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints
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
from typing_extensions import is_typeddict

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
        if (speech := _speech(type_hint)).has_constraints:
            readers.pop()
        elif speech.is_misread:
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


@dataclass(frozen=True)
class _Speech:
    """Features of a type that decide which converter reads its values."""

    has_constraints: bool = False
    """It has `Annotated` somewhere: Temporal's converter would ignore it."""
    is_misread: bool = False
    """A dataclass in it has fields that pydantic drops or renames in silence: it skips those with `init=False`, and
    takes the metadata of a field, such as `alias`, for its own."""


def _speech(hint: Hint) -> _Speech:
    try:
        return _cached_speech(hint)
    except TypeError:  # not hashable
        return _read_speech(hint)


@lru_cache(maxsize=1024)
def _cached_speech(hint: Hint) -> _Speech:
    return _read_speech(hint)


def _read_speech(hint: Hint) -> _Speech:
    found = list(_parts(hint, set()))
    classes = [fields(one) for one in found if _is_plain_dataclass(one)]
    return _Speech(
        has_constraints=any(get_origin(one) is Annotated for one in found),
        is_misread=any(field.metadata or not field.init for every in classes for field in every),
    )


def _parts(hint: Hint, seen: set[type]) -> Iterator[Hint]:
    """Yield a type, and the types of its arguments and fields; not those of pydantic models."""
    yield hint
    for one in get_args(hint):
        yield from _parts(one, seen)
    if isinstance(hint, type) and hint not in seen and (_is_plain_dataclass(hint) or is_typeddict(hint)):
        seen.add(hint)
        with suppress(NameError):  # a type that only a type checker imports
            for one in get_type_hints(hint, include_extras=True).values():
                yield from _parts(one, seen)


def _is_plain_dataclass(hint: Hint) -> bool:
    return isinstance(hint, type) and is_dataclass(hint) and not hasattr(hint, "__pydantic_validator__")
