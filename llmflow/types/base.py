"""Base classes of all data that crosses Temporal."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic_core import to_jsonable_python

from llmflow.errors import ErrorDetail, InputInvalid, did_you_mean


class Wire(BaseModel):
    """Frozen data. Unknown fields are ignored, so that an older worker can read the data of a newer one.

    A field that is added later needs a default, so that newer code can read old histories.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_bytes="base64", val_json_bytes="base64")


class CompactWire(Wire):
    """A `Wire` that omits fields equal to their default, because every call writes one into history.

    The tag of a union (`type`) always stays: readers choose the class by it.
    """

    @model_serializer(mode="wrap")
    def _without_defaults(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Any: the values are whatever the fields are.
        fields, own = type(self).model_fields, self.__dict__
        return {
            name: value
            for name, value in serialize(self).items()
            if name == "type" or _differs(own[name], fields[name].default)
        }


def _differs(value: object, default: object) -> bool:
    """Compare by identity first: equal models are mostly the same object, and equality takes ten times as long."""
    return value is not default and value != default


class Handwritten(Wire):
    """A `Wire` that people write in Python, where an unknown field is a typo and therefore refused.

    In JSON, an unknown field comes from a newer version and is ignored, as in every `Wire`.
    """

    @model_validator(mode="before")
    @classmethod
    def _has_these_fields(cls, given: object, info: ValidationInfo) -> object:
        if info.mode == "python" and isinstance(given, Mapping) and cls.model_config.get("extra") == "ignore":
            unknown = [name for name in cast(Mapping[str, object], given) if name not in cls.model_fields]
            if unknown:
                near, known = did_you_mean(unknown[0], cls.model_fields), ", ".join(cls.model_fields)
                raise InputInvalid(
                    f"{cls.__name__} has no field `{unknown[0]}`{near}; it has {known}", ErrorDetail(field=unknown[0])
                )
        return cast(object, given)


M = TypeVar("M", bound=BaseModel)


def changed(model: M, /, **values: object) -> M:
    """Return a copy with other values, which are validated as in every new one.

    The one way to change a model: pydantic's `model_copy` takes any value, which nobody can read again.
    """
    return type(model).model_validate({**dict(model), **values})


def given(options: Wire) -> dict[str, object]:
    """Return the options that are set, by name."""
    return {name: value for name, value in options if value is not None}


def unwritable(error: ValueError) -> str:
    """Explain why pydantic cannot write a value as JSON, for the end of a message."""
    said = str(error)
    return "it contains a coroutine: is an `await` missing?" if "<class 'coroutine'>" in said else said


def plain(value: object) -> object:
    """Convert a value to JSON data; models keep fields that equal their default."""
    match value:
        case BaseModel():
            return {name: plain(field) for name, field in value}
        case Mapping():
            return {str(key): plain(item) for key, item in cast(Mapping[object, object], value).items()}
        case tuple() | list():
            return [plain(item) for item in cast(tuple[object, ...], value)]
        case Decimal():
            return format(value, "f")  # 0.0000001, not 1E-7
        case _:
            return to_jsonable_python(value)
