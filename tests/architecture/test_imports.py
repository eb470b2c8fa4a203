"""Imports go one way: the table of allowed arrows."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from .names import Import, imports, room_of, within
from .source import Source, example, holds, sources

EVERYWHERE = frozenset({"pydantic", "pydantic_core", "typing_extensions"})  # pydantic, and what it brings

# `yaml` is a room of its own, because prompts, models.yaml and definitions all say `file:line:column`, and types know
# pydantic alone. A client reads the settings, because a score goes into the store that the workers' settings name.
TABLE = """
room       | may import from llmflow               | and from outside, beyond pydantic
---------- | ------------------------------------- | -----------------------------------------------------------
details    |                                       |
errors     | details                               | temporalio.exceptions
types      | errors                                | temporalio.common
yaml       | errors                                | ruamel.yaml
flow       | sdk, types, errors, definitions       | temporalio.{workflow,common,exceptions,api}, minijinja
prompts    | types, errors, yaml                   | minijinja
providers  | types, errors, yaml                   | aiohttp, aiohttp_socks, litellm, httpx, genai_prices,
           |                                       | circuitbreaker, limits, redis
stores     | types, errors, prompts                | sqlalchemy, asyncpg, alembic, redis
tools      | types, errors                         | httpx, minijinja, temporalio.{common,workflow}
history    | types, errors                         | temporalio.{client,converter,common,api,service},
           |                                       | google.protobuf
activities | types, errors, prompts, history,      | temporalio.{activity,common,exceptions,worker}, httpx,
           | providers, stores, tools              | temporalio.{client,converter,service,api}, jsonschema,
           |                                       | referencing
converter  | types, errors, stores                 | temporalio.{converter,contrib.pydantic,exceptions,api},
           |                                       | obstore, httpx, google.protobuf
telemetry  | types, errors                         | temporalio.{client,worker,workflow,activity,runtime},
           |                                       | temporalio.contrib.opentelemetry, opentelemetry
definitions | types, errors, prompts, yaml         | minijinja, jsonschema
config     | types, errors                         | pydantic_settings, platformdirs
app        | sdk, types, errors                    | temporalio.common
sdk        | types, errors                         | temporalio.{common,converter,worker,workflow,bridge}
plugin     | app, flow, converter, telemetry, sdk, | temporalio.{plugin,worker,client,workflow,common,activity},
           | types, errors                         | temporalio.{converter,contrib.pydantic,api,exceptions}
client     | app, config, converter, plugin, sdk,  | temporalio.{client,envconfig,service,runtime},
           | stores, history, types, errors        | temporalio.{common,converter,exceptions,api,types}
worker     | all but service, engine, cli, api,    | temporalio.{worker,client,runtime,activity,common,service},
           | console, testing, dev                 | temporalio.converter
service    | app, client, config, converter,       | temporalio.common
           | history, sdk,                         |
           | definitions, prompts, stores, types,  |
           | errors                                |
engine     | all but cli, api, console, testing    | temporalio.{client,worker}
cli        | api, app, client, config, console,    | typer, rich, temporalio.{common,worker}
           | dev, engine, service, worker,         |
           | telemetry, types, errors              |
api        | service, config, types, errors        | fastapi, starlette, uvicorn, google.protobuf,
           |                                       | temporalio.{api,common,converter}
console    | api, service, config, types, errors   | fastapi, starlette, minijinja
testing    | all but service, engine, cli, api,    | temporalio, pytest
           | console                               |
dev        | app, config, types, errors            | temporalio.{testing,client,service,envconfig},
           |                                       | filelock, rich, watchfiles
"""


@dataclass(frozen=True)
class Arrows:
    """Return the allowed imports of a room."""

    ours: frozenset[str]
    outside: frozenset[str]


def _read(table: str) -> dict[str, Arrows]:
    cells: dict[str, tuple[str, str]] = {}
    room = ""
    for line in table.strip().splitlines()[2:]:
        name, ours, outside = (cell.strip() for cell in line.split("|"))
        room = name or room  # a row without a room goes on with the one above
        before = cells.get(room, ("", ""))
        cells[room] = f"{before[0]} {ours}".strip(), f"{before[1]} {outside}".strip()
    return {room: Arrows(_rooms(ours, frozenset(cells)), _packages(outside)) for room, (ours, outside) in cells.items()}


def _rooms(cell: str, rooms: frozenset[str]) -> frozenset[str]:
    named = frozenset(cell.removeprefix("all but ").replace(",", " ").split())
    return rooms - named if cell.startswith("all but ") else named


def _packages(cell: str) -> frozenset[str]:
    """`a.{b,c}, d` -> a.b, a.c, d; and pydantic."""
    found: list[str] = []
    for item in cell.split(", "):
        base, _, inner = item.partition("{")
        found += [base + name for name in inner.rstrip("}").split(",")]
    return EVERYWHERE | frozenset(found) - {""}


ROOMS = _read(TABLE)


def wrong_arrows(source: Source) -> Iterator[str]:
    room = room_of(source.module)
    if room and room not in ROOMS:
        yield source.at(1, f"`{room}` is no room of the table in test_imports.py: put the file in one that is")
        return
    for found in imports(source):
        problem = _judge(room, found)
        if problem:
            yield source.at(found.node, problem)


def _judge(room: str, found: Import) -> str | None:
    target, top = found.target, found.target.partition(".")[0]
    if not room:
        return f"imports `{target}`: every workflow import runs the root first, so it imports nothing"
    if top == "llmflow":
        other = room_of(target)
        if other in {room, "__version__"} | ROOMS[room].ours:
            return None
        known = ", ".join(sorted(ROOMS[room].ours)) or "nothing"
        return f"{room} may not import `{target}`; of llmflow it may import: {known}"
    if top in sys.stdlib_module_names or within(target, ROOMS[room].outside):
        return None
    return f"{room} may not import `{target}`; from outside it may import: {', '.join(sorted(ROOMS[room].outside))}"


def test_arrows() -> None:
    holds(problem for source in sources("llmflow") for problem in wrong_arrows(source))


def private_imports(source: Source) -> Iterator[str]:
    """An underscore means: of this file. So no module of the product has one, and no file imports such a name."""
    if source.module.startswith("llmflow.") and _is_private(source.module):
        yield source.at(1, "a module without an underscore: what is public is said by `__all__` and exports.txt")
    for found in imports(source):
        if found.target.partition(".")[0] in {"llmflow", "workflows", "bench"} and _is_private(found.target):
            yield source.at(found.node, f"imports `{found.target}`, which only its own file may use: rename it")


def _is_private(name: str) -> bool:
    return any(part.startswith("_") and not part.endswith("__") for part in name.split("."))


def test_nothing_private_is_imported() -> None:
    every = sources("llmflow", "tests", "workflows", "bench")
    holds(problem for source in every for problem in private_imports(source))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("llmflow/client/_runs.py", ""),
        ("llmflow/client/a.py", "from llmflow.flow.run.run import _current"),
        ("tests/unit/a.py", "from llmflow.client._runs import Run"),
        ("tests/unit/a.py", "from llmflow.client import runs, _inbox"),
        ("tests/unit/a.py", "import llmflow.client._runs"),
    ],
)
def test_rejects_a_private_import(path: str, text: str) -> None:
    assert list(private_imports(example(text, path)))


def test_accepts_dunder_names() -> None:
    text = "from llmflow import __version__"
    assert not list(private_imports(example(text, "llmflow/client/__init__.py")))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("llmflow/flow/a.py", "from llmflow.providers import openai"),
        ("llmflow/flow/a.py", "from .. import config"),
        ("llmflow/flow/a.py", "import llmflow.client as door"),
        ("llmflow/flow/a.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from llmflow import stores"),
        ("llmflow/flow/a.py", "from temporalio import activity"),
        ("llmflow/flow/a.py", "import temporalio"),
        ("llmflow/providers/a.py", "import temporalio.workflow"),
        ("llmflow/prompts/a.py", "from llmflow.stores.database import Database"),
        ("llmflow/prompts/a.py", "import sqlalchemy"),
        ("llmflow/types/a.py", "import httpx"),
        ("llmflow/errors.py", "from llmflow.types.base import Wire"),
        ("llmflow/history/a.py", "from llmflow.client import Client"),
        ("llmflow/stores/a.py", "from llmflow.history.events import events_of"),
        ("llmflow/api/a.py", "from llmflow.worker import serve"),
        ("llmflow/sdk/a.py", "from llmflow.flow.run import current"),
        ("llmflow/service/a.py", "from llmflow.worker import recorded_price"),
        ("llmflow/service/a.py", "import typer"),
        ("llmflow/service/a.py", "from rich.text import Text"),
        ("llmflow/cli/a.py", "from llmflow.stores.database import Database"),
        ("llmflow/utils/a.py", ""),
        ("llmflow/__init__.py", "from llmflow import flow"),
        ("llmflow/cli/a.py", "TABLE = {'a': 'llmflow.flow.steps:step'}"),
    ],
)
def test_rejects_a_wrong_arrow(path: str, text: str) -> None:
    assert list(wrong_arrows(example(text, path)))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("llmflow/flow/a.py", "import graphlib\nfrom temporalio import workflow\nfrom llmflow.types.base import Wire"),
        ("llmflow/flow/a.py", "from temporalio.common import RetryPolicy\nfrom .run import Run"),
        ("llmflow/worker.py", "from llmflow import activities, __version__"),
        ("llmflow/cli/main.py", "import rich.table\nfrom llmflow.dev import server"),
        ("llmflow/cli/a.py", "TABLE = {'a': 'llmflow.worker:run', 'b': 'workflows.research.app:app'}"),
    ],
)
def test_accepts_the_table(path: str, text: str) -> None:
    assert not list(wrong_arrows(example(text, path)))
