"""The type that an answer must have: its schema on the way out, its validation on the way back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import TypeForm

from llmflow.errors import ErrorDetail, InputInvalid, OutputInvalid
from llmflow.flow.arguments import no_mapping
from llmflow.types.models import OutputSchema
from llmflow.types.problems import problems_of, said

T = TypeVar("T")


class _WithoutTitles(GenerateJsonSchema):
    """A title for every field says again what its name says, in every history."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # Any: one of pydantic's fifty kinds of schema
        return False


_CACHE = "__llmflow_output__"


@dataclass(frozen=True)
class Output(Generic[T]):
    """How to ask for a `T`, and how to read one. Text needs no schema."""

    adapter: TypeAdapter[T] | None
    schema: OutputSchema | None

    def read(self, text: str) -> T:
        """The answer as a `T`.

        JSON mode, because a strict model then accepts dates, decimals and enums, which JSON writes as text.

        Raises:
            OutputInvalid: it does not fit; the message lists each place, for people and for the model.
        """
        if self.adapter is None:
            return cast(T, text)
        try:
            return self.adapter.validate_json(text)
        except ValidationError as error:
            raise OutputInvalid(_problems(error), ErrorDetail(answer=text)) from None
        except Exception as error:  # whatever a validator of the user's raises: the answer is at fault, not the code
            problem = f"the answer cannot be read: {type(error).__name__}: {error}"
            raise OutputInvalid(problem, ErrorDetail(answer=text)) from error


def output_of(kind: TypeForm[T]) -> Output[T]:
    """The `Output` of a type.

    It takes about a millisecond to build, so a model class carries its own: the sandbox runs the modules of users
    again for every run, and whatever is kept elsewhere would keep every copy of the class alive.

    Raises:
        InputInvalid: pydantic cannot make a JSON schema of the type.
    """
    if (model := _model(kind)) and _CACHE in vars(model):
        return cast(Output[T], getattr(model, _CACHE))
    if kind is str:
        return Output(None, None)
    no_mapping("output", kind)
    try:
        adapter = TypeAdapter(kind)
        schema = OutputSchema(name=_name(kind), json_schema=adapter.json_schema(schema_generator=_WithoutTitles))
    except Exception as error:  # of several unrelated classes; in a workflow any of them would hang the task
        raise InputInvalid(f"output={kind!r} has no JSON schema: {error}", ErrorDetail(field="output")) from None
    output = Output(adapter, schema)
    if model:
        setattr(model, _CACHE, output)
    return output


def _model(kind: object) -> type[BaseModel] | None:
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def data_of(schema: Mapping[str, JsonValue]) -> Output[JsonValue]:
    """The `Output` of a JSON schema. The worker judges the answer by it, and refuses a schema that is none.

    Raises:
        InputInvalid: it is no mapping of JSON.
    """
    try:
        asked = OutputSchema(name=_word(schema.get("title")), json_schema=dict(schema), judged=True)
    except (ValidationError, AttributeError, TypeError, ValueError):
        raise InputInvalid(
            f"schema={schema!r:.100} is no JSON schema: give a mapping such as {{'type': 'object', 'properties': ...}}",
            ErrorDetail(field="schema"),
        ) from None
    return Output(TypeAdapter(JsonValue), asked)


def _name(kind: object) -> str:
    """A name as vendors accept it: letters, digits, `_` and `-`, at most 64."""
    return _word(getattr(kind, "__name__", None) if isinstance(kind, type) else None)


def _word(given: object) -> str:
    name = given if isinstance(given, str) and given else "answer"
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)[:64]


def _problems(error: ValidationError) -> str:
    lines = [f"- {said(one, 'the answer')}" for one in problems_of(error)[:20]]
    return f"the answer does not fit {error.title}:\n" + "\n".join(lines)
