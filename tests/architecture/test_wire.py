"""Wire models: frozen, exact about money, in a fixed order, and open to histories of yesterday."""

import ast
import dataclasses
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from .source import ROOT, Source, example, holds, is_thawed_dataclass, load, sources

PINNED = Path(__file__).with_name("required_fields.txt")
MONEY = re.compile(r"usd|cost|price|amount|money")

Model = type[BaseModel]


def wire_models() -> list[Model]:
    return [cls for cls in _classes() if issubclass(cls, BaseModel) and not cls.__name__.startswith("_")]


def _classes() -> Iterator[type]:
    for module in map(load, sources("llmflow/types", "llmflow/errors.py")):
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield value


def required(model: Model) -> set[str]:
    return {name for name, field in model.model_fields.items() if field.is_required()}


def at(cls: type, problem: str) -> str:
    file = Path(inspect.getsourcefile(cls) or "").relative_to(ROOT)
    return f"{file}:{inspect.getsourcelines(cls)[1]}: {problem}"


def thawed(classes: Iterable[type[object]]) -> Iterator[str]:
    for cls in classes:
        if issubclass(cls, BaseModel) and not cls.model_config.get("frozen"):
            yield at(cls, f"`{cls.__name__}` can be changed: derive it from Wire, or set frozen=True")
        if is_thawed_dataclass(cls):
            yield at(cls, f"`{cls.__name__}` can be changed: @dataclass(frozen=True)")


def unfit(models: Iterable[Model]) -> Iterator[str]:
    for model in models:
        for name, field in model.model_fields.items():
            kinds = set(_kinds(field.annotation))
            if kinds & {set, frozenset}:
                yield at(model, f"`{model.__name__}.{name}` is a set, whose order differs per process: use a tuple")
            if float in kinds and MONEY.search(name):
                yield at(model, f"`{model.__name__}.{name}` is money in a float: use Decimal")


def _kinds(annotation: object) -> Iterator[object]:
    yield annotation
    yield getattr(annotation, "__origin__", None)
    for inner in get_args(annotation):
        yield from _kinds(inner)


def untyped(source: Source) -> Iterator[str]:
    fields = (node for cls in source.classes for node in cls.body if isinstance(node, ast.AnnAssign))
    for field in fields:
        names = {node.id for node in ast.walk(field.annotation) if isinstance(node, ast.Name)}
        if "Any" in names and not source.has_reason(field.lineno):
            yield source.at(
                field, f"`{ast.unparse(field.target)}` is Any: type it, or say in a comment why it cannot be"
            )


def read(pins: str) -> dict[str, set[str]]:
    """Model -> the fields that were required when it was new."""
    lines = (line.partition(":") for line in pins.splitlines())
    return {model: set(fields.split()) for model, _, fields in lines}


def outgrown(now: Mapping[str, set[str]], founding: Mapping[str, set[str]]) -> Iterator[str]:
    for model in now.keys() - founding.keys():
        yield f"required_fields.txt: `{model}` is new; pin it: python -m tests.architecture.pin"
    for model in founding.keys() - now.keys():
        yield f"required_fields.txt: `{model}` is gone; old histories may hold it. If none does, take its line out"
    for model in founding.keys() & now.keys():
        for field in now[model] - founding[model]:
            yield f"`{model}.{field}` is required and was not always: give it a default, old histories must decode"
        for field in founding[model] - now[model]:
            yield f"required_fields.txt: take `{field}` out of `{model}`; it is optional now, and has to stay so"


def test_wire_models_are_frozen() -> None:
    holds(thawed(_classes()))


def test_wire_fields_fit() -> None:
    holds(unfit(wire_models()))


def test_any_has_a_reason() -> None:
    holds(problem for source in sources("llmflow/types", "llmflow/errors.py") for problem in untyped(source))


def test_old_histories_decode() -> None:
    holds(outgrown({model.__name__: required(model) for model in wire_models()}, read(PINNED.read_text())))


class _Good(BaseModel, frozen=True):
    usd: Decimal
    seconds: float = 1.0
    names: tuple[str, ...] = ()


class _Bad(BaseModel):
    usd: float | None = None
    names: dict[str, frozenset[str]] = {}


@dataclasses.dataclass
class _BadData:
    name: str


def test_rejects_what_changes() -> None:
    assert len(list(thawed([_Bad, _BadData]))) == 2
    assert not list(thawed([_Good, str]))


def test_rejects_float_money_and_sets() -> None:
    assert len(list(unfit([_Bad]))) == 2
    assert not list(unfit([_Good]))


def test_rejects_any_without_a_reason() -> None:
    assert list(untyped(example("class A(Wire):\n    value: dict[str, Any]")))
    assert not list(untyped(example("class A(Wire):\n    value: Any  # the user's own")))


@pytest.mark.parametrize(
    ("now", "founding"),
    [
        ("A: x new", "A: x"),
        ("A: x", "A:"),
        ("A:", "A: x"),
        ("A:\nB:", "A:"),
        ("", "A: x"),
    ],
)
def test_rejects_a_new_required_field(now: str, founding: str) -> None:
    assert list(outgrown(read(now), read(founding)))
    assert not list(outgrown(read(now), read(now)))
