"""The type that an answer must have: its schema on the way out, its validation on the way back."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema

from llmflow.errors import ErrorDetail, InputInvalid, OutputInvalid
from llmflow.flow.arguments import no_mapping
from llmflow.types.models import OutputSchema

T = TypeVar("T")


class _WithoutTitles(GenerateJsonSchema):
    """A title for every field says again what its name says, in every history."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # Any: one of pydantic's fifty kinds of schema
        return False


_CACHE = "__llmflow_output__"


@dataclass(frozen=True)
class Output(Generic[T]):
    """How to ask for a `T`, and how to read one. Text needs no schema."""

    adapter: TypeAdapter[T]
    schema: OutputSchema | None

    def read(self, text: str) -> T:
        """The answer as a `T`.

        JSON mode, because a strict model then accepts dates, decimals and enums, which JSON writes as text.

        Raises:
            OutputInvalid: it does not fit; the message lists each place, for people and for the model.
        """
        if self.schema is None:
            return cast(T, text)
        try:
            return self.adapter.validate_json(text)
        except ValidationError as error:
            raise OutputInvalid(_problems(error), ErrorDetail(answer=text)) from None
        except Exception as error:  # whatever a validator of the user's raises: the answer is at fault, not the code
            problem = f"the answer cannot be read: {type(error).__name__}: {error}"
            raise OutputInvalid(problem, ErrorDetail(answer=text)) from error


def output_of(kind: type[T]) -> Output[T]:
    """The `Output` of a type.

    It takes about a millisecond to build, so a model class carries its own: the sandbox runs the modules of users
    again for every run, and whatever is kept elsewhere would keep every copy of the class alive.

    Raises:
        InputInvalid: pydantic cannot make a JSON schema of the type.
    """
    if kind is str:
        return Output(TypeAdapter(kind), None)
    is_model = isinstance(kind, type) and issubclass(kind, BaseModel)  # pyright: ignore[reportUnnecessaryIsInstance]  list[int] is a type[T] for pyright alone
    if is_model and _CACHE in vars(kind):
        return cast(Output[T], getattr(kind, _CACHE))
    no_mapping("output", kind)
    try:
        adapter = TypeAdapter(kind)
        schema = OutputSchema(name=_name(kind), json_schema=adapter.json_schema(schema_generator=_WithoutTitles))
    except Exception as error:  # of several unrelated classes; in a workflow any of them would hang the task
        raise InputInvalid(f"output={kind!r} has no JSON schema: {error}", ErrorDetail(field="output")) from None
    output = Output(adapter, schema)
    if is_model:
        setattr(kind, _CACHE, output)
    return output


def _name(kind: Any) -> str:  # Any: a class or a typing construct such as list[int]
    """A name as vendors accept it: letters, digits, `_` and `-`, at most 64."""
    name = getattr(kind, "__name__", "answer") if isinstance(kind, type) else "answer"
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)[:64]


def _problems(error: ValidationError) -> str:
    lines = [
        f"- {'.'.join(str(part) for part in one['loc']) or 'the answer'}: {one['msg']}"
        for one in error.errors(include_url=False, include_context=False, include_input=False)[:20]
    ]
    return f"the answer does not fit {error.title}:\n" + "\n".join(lines)
