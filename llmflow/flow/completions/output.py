"""Types of answers: the schema in the request, and the validation of the answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import TypeForm

from llmflow.errors import ErrorDetail, InputInvalid, OutputInvalid
from llmflow.flow.arguments import no_mapping
from llmflow.types.completions import CompletionResult
from llmflow.types.models import OutputSchema
from llmflow.types.problems import problems_of, said
from llmflow.types.shapes import shape_of

T = TypeVar("T")


class _WithoutTitles(GenerateJsonSchema):
    """JSON schemas without titles, which would repeat every field's name in every history."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # Any: one of pydantic's fifty kinds of schema
        return False


_CACHE = "__llmflow_output__"


@dataclass(frozen=True)
class Output(Generic[T]):
    """Schema to request a `T`, and adapter to validate one. Text needs no schema."""

    adapter: TypeAdapter[T] | None
    schema: OutputSchema | None

    def read(self, text: str) -> T:
        """Validate an answer.

        JSON mode: there a strict model accepts dates, decimals and enums as text.

        Raises:
            OutputInvalid: the answer does not fit; the message lists each problem, for people and for the model.
        """
        if self.adapter is None:
            return cast(T, text)
        try:
            return self.adapter.validate_json(text)
        except ValidationError as error:
            raise OutputInvalid(_problems(error), ErrorDetail(answer=text)) from None
        except Exception as error:  # of any class, from a validator of the user: the answer is at fault, not the code
            problem = f"the answer cannot be validated: {type(error).__name__}: {error}"
            raise OutputInvalid(problem, ErrorDetail(answer=text)) from error

    def has_changed(self, answer: CompletionResult) -> bool:
        """Return True for an answer that had the type's shape when it was asked for, and does not have today's.

        If it has both, the type's validators refuse it, as they have done or would have done before.
        """
        if not answer.fits or answer.misfit or self.schema is None or self.schema.judged:
            return False
        today = shape_of(self.schema.json_schema)
        return answer.shape != today.hash and not today.fits(answer.text)


def output_of(kind: TypeForm[T]) -> Output[T]:
    """Return the `Output` of a type.

    Building one takes about a millisecond, so a model class caches its own. A cache elsewhere would leak: the sandbox
    imports the users' modules anew for every run, and the cache would keep every copy of the class alive.

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
    except Exception as error:  # of several unrelated classes; each would fail the workflow task
        raise InputInvalid(f"output={kind!r} has no JSON schema: {error}", ErrorDetail(field="output")) from None
    output = Output(adapter, schema)
    if model:
        setattr(model, _CACHE, output)
    return output


def _model(kind: object) -> type[BaseModel] | None:
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def data_of(schema: Mapping[str, JsonValue]) -> Output[JsonValue]:
    """Return the `Output` of a JSON schema. The worker validates answers, and refuses an invalid schema.

    Raises:
        InputInvalid: the schema is not a mapping of JSON values.
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
    """Return a name that vendors accept: letters, digits, `_` and `-`, at most 64."""
    return _word(getattr(kind, "__name__", None) if isinstance(kind, type) else None)


def _word(given: object) -> str:
    name = given if isinstance(given, str) and given else "answer"
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)[:64]


def _problems(error: ValidationError) -> str:
    lines = [f"- {said(one, 'the answer')}" for one in problems_of(error)[:20]]
    return f"the answer does not fit {error.title}:\n" + "\n".join(lines)
