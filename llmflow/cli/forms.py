"""Form of a question, from its JSON schema: its fields, and prompts for them in the terminal."""

import json
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import typer
from pydantic import JsonValue
from rich.text import Text

from llmflow.cli.output import err, say
from llmflow.types.schemas import resolved

Schema = Mapping[str, Any]  # Any: JSON
_LIMITS = {"minimum": "from {}", "exclusiveMinimum": "above {}", "maximum": "to {}", "exclusiveMaximum": "below {}"}
_SHAPES = {"format": "as {}", "minLength": "{} characters or more", "maxLength": "at most {} characters"}
_WITHIN: dict[str, Callable[[Any, Any], bool]] = {  # Any: numbers
    "minimum": operator.ge,
    "exclusiveMinimum": operator.gt,
    "maximum": operator.le,
    "exclusiveMaximum": operator.lt,
    "minLength": operator.ge,
    "maxLength": operator.le,
}
_WORDS = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field."""

    name: str
    kinds: tuple[str, ...]
    """JSON types that it may have."""
    choices: tuple[JsonValue, ...] = ()
    """All values that it may have, if they are few."""
    required: bool = True
    default: JsonValue = None
    """Value if it is left out, and not required."""
    limits: tuple[str, ...] = ()
    bounds: tuple[tuple[str, str, float], ...] = ()
    """Constraint of a value: JSON type, word of the schema, limit."""
    about: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.takes})"

    @property
    def takes(self) -> str:
        """Describe the type, such as `number, from 0, to 500`."""
        what = " | ".join(map(as_text, self.choices)) or " or ".join(self._kinds())
        return ", ".join((what, *self.limits, *(() if self.required else ("optional",))))

    def read(self, text: str) -> JsonValue:
        """Parse a person's text as JSON of the first kind that it fits. The run checks the rest.

        Raises:
            ValueError: it fits no kind.
        """
        if self.choices:
            found = [one for one in self.choices if as_text(one) == text]
            if not found:
                raise ValueError(f"write one of {', '.join(map(as_text, self.choices))}")
            return found[0]
        for kind in self._kinds():
            with suppress(ValueError):
                value = _read(kind, text)
                if not self._keeps_to_bounds(kind, value):
                    continue
                return text if kind == "number" and "string" in self.kinds else value  # text is exact
        raise ValueError(f"expected {self.takes}")

    def _keeps_to_bounds(self, kind: str, value: JsonValue) -> bool:
        return all(
            _WITHIN[word](len(value) if isinstance(value, str) else value, limit)
            for one, word, limit in self.bounds
            if one == kind
        )

    def _kinds(self) -> list[str]:
        """Return kinds without those that a person need not know, such as text for a Decimal."""
        hidden = ("null", "string") if "number" in self.kinds else ("null",)
        return [kind for kind in self.kinds if kind not in hidden] or ["JSON"]


def fields_of(schema: Schema) -> list[Field]:
    """Return the fields of a form."""
    form = resolved(schema, schema)
    required: Sequence[str] = form.get("required", ())
    return [_field(name, one, schema, required=name in required) for name, one in form["properties"].items()]


def ask(schema: Schema, before: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Ask for each field in the terminal, until the text can be parsed.

    Args:
        schema: Schema of the form.
        before: Earlier values that were refused, as defaults.

    Raises:
        typer.Abort: the person gives up.
    """
    given: dict[str, JsonValue] = {}
    for field in fields_of(schema):
        _ask_one(field, before.get(field.name), given)
    return given


def _ask_one(field: Field, known: JsonValue, given: dict[str, JsonValue]) -> None:
    offered = field.default if known is None else known
    if field.about:
        say(f"  {field.about}", "dim")
    prompt = Text.assemble("  ", (field.name, "bold"), (f" ({field.takes})", "dim"))
    prompt.append(f" [{as_text(offered)}]: " if offered is not None else ": ")
    while True:
        try:
            text = err.input(prompt).strip()
            if text or (offered is None and field.required):
                given[field.name] = field.read(text)
            elif offered is not None:
                given[field.name] = offered
        except EOFError:
            raise typer.Abort from None
        except ValueError as error:
            say(f"  {error}", "yellow")
        else:
            return


def as_text(value: JsonValue) -> str:
    """Format a value as a person writes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _field(name: str, schema: Schema, root: Schema, *, required: bool) -> Field:
    one = resolved(schema, root)
    parts = [resolved(part, root) for part in one.get("anyOf", ())] or [one]
    choices = [choice for part in parts for choice in part.get("enum", [part["const"]] if "const" in part else [])]
    words = {**_LIMITS, **_SHAPES}
    return Field(
        name=name,
        kinds=tuple(dict.fromkeys(kind for part in parts for kind in _kinds(part))),
        choices=tuple(choices),
        required=required,
        default=one.get("default"),
        limits=(
            *(shape for part in parts for shape in _inside(part)),
            *(said.format(_short(part[word])) for part in parts for word, said in words.items() if word in part),
        ),
        bounds=tuple(
            (kind, word, part[word]) for part in parts for kind in _kinds(part) for word in _WITHIN if word in part
        ),
        about=str(one.get("description", "")),
    )


def _inside(part: Schema) -> Iterator[str]:
    """Describe the syntax of a value to a person."""
    if names := ", ".join(part.get("properties", ())):
        yield f"as JSON with {names}"
    elif part.get("type") in ("array", "object"):
        yield "as JSON"


def _short(limit: object) -> object:
    return f"{limit:g}" if isinstance(limit, float) else limit


def _kinds(schema: Schema) -> Iterator[str]:
    kinds = schema.get("type", ())
    yield from [kinds] if isinstance(kinds, str) else kinds


def _read(kind: str, text: str) -> JsonValue:
    match kind:
        case "string" if text:
            return text
        case "integer":
            return int(text)
        case "number":
            number = float(text)
            if not math.isfinite(number):
                raise ValueError(text)
            return int(number) if text.lstrip("+-").isdigit() else number
        case "boolean" if text.lower() in _WORDS:
            return _WORDS[text.lower()]
        case "array" | "object" | "JSON":
            value: JsonValue = json.loads(text)
            if kind == "JSON" or isinstance(value, list if kind == "array" else dict):
                return value
            raise ValueError(text)
        case _:
            raise ValueError(text)
