"""Workflows by name, and inputs of starts, parsed as the type that the workflow takes."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from llmflow.app import App
from llmflow.errors import ErrorDetail, InputInvalid, did_you_mean
from llmflow.sdk.marks import definition_of
from llmflow.types.problems import listed, message_of, path_of, problems_of, said

_SHOWN = 5  # problems of one input; more would hide the first


@dataclass(frozen=True)
class Workflow:
    """Name and input of a workflow."""

    name: str
    method: Any  # Any: the user's own `run`
    adapter: TypeAdapter[Any] | None  # Any: the user's own type. None if the workflow takes nothing
    optional: bool
    """True if the input may be left out."""

    @classmethod
    def of(cls, workflow: object) -> "Workflow":
        """Read a class that `@workflow.defn` marked, or its run method.

        Raises:
            InputInvalid: its input cannot be given as JSON.
        """
        definition = definition_of(workflow)
        parameters = list(inspect.signature(definition.run_fn).parameters.values())[1:]
        if not parameters:
            return cls(definition.name, definition.run_fn, None, optional=True)
        if len(parameters) > 1:
            raise InputInvalid(f"{definition.name} takes {len(parameters)} arguments; make them one pydantic model")
        hint = get_type_hints(definition.run_fn).get(parameters[0].name, object)
        try:
            adapter = TypeAdapter[Any](hint)
        except PydanticSchemaGenerationError:
            raise InputInvalid(f"{definition.name} takes {hint}, which cannot be read from JSON") from None
        return cls(
            definition.name, definition.run_fn, adapter, optional=parameters[0].default is not inspect.Parameter.empty
        )

    def validate(self, text: str) -> object:
        """Parse the JSON text as the value that the workflow takes.

        Raises:
            InputInvalid: it does not fit; names each field that does not.
        """
        if self.adapter is None:
            raise InputInvalid(f"{self.name} takes no input: give none")
        try:
            return self.adapter.validate_json(text)
        except ValidationError as error:
            problems = problems_of(error)
            told = listed((self._problem(problem, text) for problem in problems), _SHOWN)
            raise InputInvalid(
                f"{self.name} does not take this input: {told}. {self.usage()}",
                ErrorDetail(field=path_of(problems[0]) or None),
            ) from None

    def usage(self) -> str:
        """Describe the input in a line."""
        schema = self.adapter.json_schema() if self.adapter else {}
        if "properties" not in schema:
            return f"It takes JSON of this type: {_kind(schema)}"
        required = schema.get("required", ())
        fields = (
            f"{name} ({_kind(field)}{'' if name in required else ', optional'})"
            for name, field in schema["properties"].items()
        )
        return f"It takes an object: {', '.join(fields)}"

    def _fields(self) -> tuple[str, ...]:
        return tuple(self.adapter.json_schema().get("properties", ())) if self.adapter else ()

    def _problem(self, problem: ErrorDetails, text: str) -> str:
        """Describe a problem, such as `text is missing (you gave txt)`."""
        kind, where = problem["type"], path_of(problem)
        known = self._fields() if len(problem["loc"]) == 1 else ()
        if kind == "json_invalid":
            is_text = not text.lstrip().startswith(("{", "["))
            message = message_of(problem)
            return f"{message} (a text needs quotes of its own: '\"text\"')" if is_text else message
        if kind == "missing":
            strange = [name for name in from_json(text) if name not in known] if known else []
            return f"`{where}` is missing" + (f" (you gave `{'`, `'.join(strange)}`)" if strange else "")
        if kind == "extra_forbidden":
            return f"`{where}` is unknown{did_you_mean(where, known)}"
        return said(problem) if where else message_of(problem)


def find_workflow(app: App, name: str | None) -> Workflow:
    """Return the App's workflow of that name; without a name, its only one.

    Raises:
        InputInvalid: there is none, or several match; names them.
    """
    known = {workflow_name(one): one for one in app.workflows}
    names = ", ".join(sorted(known))
    if name is None and len(known) > 1:
        raise InputInvalid(f"App {app.name!r} has several workflows, name one of them: {names}")
    chosen = name or names
    if chosen not in known:
        raise InputInvalid(
            f"App {app.name!r} has no workflow `{chosen}`{did_you_mean(chosen, known)}. It has: {names or 'none'}"
        )
    return Workflow.of(known[chosen])


def workflow_name(workflow: type) -> str:
    """Return the name under which it is started."""
    return str(definition_of(workflow).name)


def _kind(schema: dict[str, Any]) -> str:  # Any: JSON
    """Name a type, such as `string`, `array of string`, `string or null`."""
    return " or ".join(dict.fromkeys(_kinds(schema))) or "any"


def _kinds(schema: dict[str, Any]) -> Iterator[str]:  # Any: JSON
    if "$ref" in schema:
        yield str(schema["$ref"]).rpartition("/")[2]
    elif schema.get("type") == "array":
        yield f"array of {_kind(schema.get('items', {}))}"
    elif "type" in schema:
        yield str(schema["type"])
    for one in schema.get("anyOf", ()):
        yield from _kinds(one)
