"""`types` and `flow` pass through the sandbox, so all runs share their modules: these hold no mutable state."""

import ast
import dataclasses
import enum
import functools
import logging
import re
import types
import typing
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from pathlib import PurePath
from typing import Any, cast

import pytest
from pydantic import BaseModel, TypeAdapter

from .names import aliases
from .source import Source, example, holds, is_thawed_dataclass, load, sources

IMMUTABLE: tuple[Any, ...] = (  # Any: pyright calls some of these classes special forms
    *(str, bytes, int, float, complex, range, types.NoneType, types.EllipsisType),
    *(Decimal, date, time, timedelta, tzinfo, uuid.UUID, PurePath, re.Pattern, enum.Enum),
    *(types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, type),
    *(types.GenericAlias, types.UnionType, typing.TypeVar, typing.ParamSpec, typing.NewType),
    *(property, staticmethod, classmethod, functools.cached_property),
    *(types.MemberDescriptorType, types.GetSetDescriptorType),
    *(ContextVar, logging.Logger, logging.LoggerAdapter, TypeAdapter),
)


def mutable(value: Any) -> bool:  # Any: judges whatever a module holds
    """Return True if the value has a mutable part."""
    if isinstance(value, functools.partial):
        return mutable((value.func, *value.args, *value.keywords.values()))
    if isinstance(value, types.MappingProxyType):
        return any(mutable(value[key]) for key in cast(Mapping[Any, Any], value))
    if isinstance(value, tuple | frozenset):
        return any(map(mutable, cast(Iterable[Any], value)))
    if isinstance(value, BaseModel):
        return not value.model_config.get("frozen") or any(mutable(field) for _, field in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return is_thawed_dataclass(type(value)) or any(mutable(getattr(value, field.name)) for field in fields)
    # Annotations such as `Tool[Any, Any]` or `Literal["a"]` are instances of private classes of `typing`.
    return not isinstance(value, IMMUTABLE) and type(value).__module__ not in {"typing", "typing_extensions"}


def module_state(source: Source, module: types.ModuleType) -> Iterator[str]:
    """Mutable values that the module makes, at its top or on its classes, and names that its functions rebind."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Global):
            yield source.at(node, f"rebinds `{', '.join(node.names)}`, which every run on the worker would share")
    holders: list[type | types.ModuleType] = [module]
    holders += [held for held in vars(module).values() if isinstance(held, type) and held.__module__ == module.__name__]
    imported = aliases(source)
    for holder in holders:
        for name, value in vars(holder).items():
            if name not in imported and not _is_machinery(name) and mutable(value):
                where = name if holder is module else f"{holder.__name__}.{name}"
                yield source.at(
                    _line(source, name),
                    f"`{where}` is a {type(value).__name__}, which every run on the worker would share: use a tuple, "
                    "frozenset or MappingProxyType, a ContextVar, or an attribute of the workflow instance",
                )


def _is_machinery(name: str) -> bool:
    """Python's own names, enum's and abc's, pydantic's configuration, and what `@workflow.defn` leaves on a class."""
    known = {"_abc_impl", "model_config", "__temporal_workflow_definition"}
    return (name.startswith("_") and name.endswith("_")) or name in known


def _line(source: Source, name: str) -> int:
    stored = (node for node in ast.walk(source.tree) if isinstance(node, ast.Name) and node.id == name)
    return next((node.lineno for node in stored if isinstance(node.ctx, ast.Store)), 1)


def _run(text: str) -> tuple[Source, types.ModuleType]:
    source, module = example(text), types.ModuleType("example")
    exec(compile(source.tree, source.path, "exec"), vars(module))
    return source, module


def test_no_mutable_module_state() -> None:
    rooms = sources("llmflow/types", "llmflow/flow")
    holds(problem for source in rooms for problem in module_state(source, load(source)))


@pytest.mark.parametrize(
    "text",
    [
        "SEEN = {}",
        "COUNT = 0\ndef f():\n    global COUNT\n    COUNT += 1",
        "SEEN = []",
        "SEEN = set()",
        "from collections import deque\nSEEN = deque()",
        "BUFFER = bytearray()",
        "import types\nSEEN = types.MappingProxyType({'a': []})",
        "SEEN = ('a', [])",
        "import functools\n@functools.cache\ndef f(x): return x",
        "import asyncio\nLOCK = asyncio.Lock()",
        "import itertools\nNEXT = itertools.count()",
        "from dataclasses import dataclass\n@dataclass\nclass A: x: int = 1\nONE = A()",
        "class Run:\n    seen = []",
        "from pydantic import BaseModel\nclass A(BaseModel): x: int = 1\nONE = A()",
    ],
)
def test_rejects_state(text: str) -> None:
    assert list(module_state(*_run(text)))


@pytest.mark.parametrize(
    "text",
    [
        "from contextvars import ContextVar\nSCOPE = ContextVar('scope', default=())",
        "import types\nKINDS = types.MappingProxyType({'a': 1})",
        "from typing import *\nT = TypeVar('T')\nKind = Literal['a']\nPart = Annotated[int | str, 'x']\nMany = list[T]",
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass A: x: int = 1\nONE = A()",
        "from enum import Enum\nclass A(Enum): X = 1\nONE = A.X",
        "from pydantic import BaseModel\nclass A(BaseModel, frozen=True): x: dict[str, int] = {}",
        "from typing import Protocol\nclass A(Protocol):\n    def f(self) -> int: ...",
    ],
)
def test_accepts_constants(text: str) -> None:
    assert not list(module_state(*_run(text)))
