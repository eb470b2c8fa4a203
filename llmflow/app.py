"""App: everything that a worker serves, as data."""

import importlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import TypeVar, cast

from pydantic import BaseModel, JsonValue
from pydantic_core import to_json, to_jsonable_python

from llmflow.errors import ConfigInvalid
from llmflow.sdk.marks import definition_of, type_of
from llmflow.sdk.tools_needed import tools_needed
from llmflow.types.calls import Tool
from llmflow.types.constants import Constants
from llmflow.types.providers import ProviderFactory
from llmflow.types.tools import ToolSource, ToolSpec

__all__ = ["App"]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class App:
    """Workflows with the tools, prompts and models that they use. Constructing one does no I/O."""

    name: str
    """Short name: the task queue, and the first part of the names of its prompts (`research/plan`)."""
    workflows: Sequence[type]
    tools: Sequence[ToolSource] = ()
    """Functions with `@tool`, and sources of several tools."""
    prompts: Path | None = None
    """Folder of `.prompt` files."""
    models: Path | None = None
    """A models.yaml; the environment variable `LLMFLOW_MODELS` can point elsewhere."""
    providers: Mapping[str, ProviderFactory] = field(default_factory=dict[str, ProviderFactory])
    """Providers of one's own, by name: `mine:model` asks that of `{"mine": MyProvider}`. See `llmflow.types.providers`.
    """
    prices: Path | None = None
    """A prices.yaml, which takes precedence over every price list; `LLMFLOW_PRICES` can point elsewhere."""
    config: BaseModel | Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """Constants of its workflows, such as limits and addresses. A run pins them: `await flow.config(Limits)`."""
    passthrough: Sequence[str] = ()
    """Modules of data models, which the sandbox then imports once and not for every run (about 0.5 ms a model).
    Modules of tools are passed through without being named, unless they have a workflow in them: the sandbox checks
    no code that it does not import itself."""
    redact: Callable[[str], str] | None = None
    """Redacts content before it goes into a trace, if the environment asks for content in traces."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", self.name):
            raise ConfigInvalid(f"App name {self.name!r}: use lower case letters, digits, `-` and `_`")
        for workflow in self.workflows:
            if definition_of(workflow) is None:
                raise ConfigInvalid(
                    f"App {self.name!r}: {workflow!r} is not a workflow: decorate it with @workflow.defn"
                )
        names = [spec.name for spec in self.tool_specs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigInvalid(f"App {self.name!r} has two tools of one name: {', '.join(twice)}; rename one")
        self._check_config()
        self._check_passthrough()

    def _check_passthrough(self) -> None:
        for module in self.passthrough:
            unchecked = self._workflows_in(module)
            if unchecked:
                raise ConfigInvalid(
                    f"App {self.name!r}: `passthrough` names {module!r}, which has the workflow {unchecked[0].__name__}"
                    " in it, so nothing would refuse the clock or chance in its code. Name modules without workflows"
                    " only: put data models into one of their own, such as schemas.py; or leave `passthrough` out"
                )

    def _check_config(self) -> None:
        """Refuse a config that is not a JSON object, or that its own model would read otherwise than it was."""
        try:
            constants: object = to_jsonable_python(self.config)
            if isinstance(self.config, BaseModel):
                again = type(self.config).model_validate_json(to_json(self.config))
                if again != self.config:
                    raise ValueError(f"{type(self.config).__name__} reads other values than it writes")
        except ValueError as error:
            raise ConfigInvalid(f"config of App {self.name!r} cannot be written as JSON and read: {error}") from None
        if not isinstance(constants, dict):
            raise ConfigInvalid(f"config of App {self.name!r}: give a model with fields or a mapping")

    @property
    def constants(self) -> Constants:
        """Return its `config` as JSON data."""
        return cast(Constants, to_jsonable_python(self.config))

    @property
    def task_queue(self) -> str:
        """Return its task queue: the App's name."""
        return self.name

    @property
    def tool_queues(self) -> tuple[str, ...]:
        """Return the task queues of its tools other than its own: those of `@tool(task_queue=...)`."""
        queues = (source.options.task_queue for source in self.tools if isinstance(source, Tool))
        return tuple(dict.fromkeys(queue for queue in queues if queue and queue != self.task_queue))

    @property
    def workflow_types(self) -> frozenset[str | None]:
        """Return the names of its workflows; `None` is a dynamic workflow, which runs every other type."""
        return frozenset(map(type_of, self.workflows))

    @property
    def tool_specs(self) -> tuple[ToolSpec, ...]:
        """Return the tools of all its sources."""
        return tuple(spec for source in self.tools for spec in source.specs())

    @property
    def missing_tools(self) -> tuple[tuple[str, str], ...]:
        """Return the workflow class and the tool, by name, for each tool that a workflow needs and the App lacks."""
        served = {spec.name for spec in self.tool_specs}
        return tuple(
            (workflow.__name__, tool) for workflow in self.workflows for tool in sorted(tools_needed(workflow) - served)
        )

    @property
    def passthrough_modules(self) -> tuple[str, ...]:
        """Return the modules that the sandbox imports once for all runs."""
        tools = dict.fromkeys(source.__module__ for source in self.tools)
        return (*self.passthrough, *(module for module in tools if not self._workflows_in(module)))

    def _workflows_in(self, module: str) -> list[type]:
        """Return the workflows of a module and, if it is a package, of the modules in it: all would pass."""
        return [one for one in self.workflows if f"{one.__module__}.".startswith(f"{module}.")]


def together(apps: Sequence[App]) -> App:
    """Combine Apps into one, with the workflows, tools and modules of all; a single App is returned unchanged.

    Raises:
        ConfigInvalid: two Apps have the same name, or different workflows or tools of the same name.
    """
    if len(apps) == 1:
        return apps[0]
    names = [app.name for app in apps]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigInvalid(
            f"two Apps are called {twice[0]!r}: prompts and models are found by an App's name; rename one"
        )
    for one, other in combinations(apps, 2):
        if one.constants != other.constants and (shared := one.workflow_types & other.workflow_types):
            raise ConfigInvalid(
                f"Apps {one.name!r} and {other.name!r} have two configs for workflow {min(map(str, shared))!r}: serve"
                " it in one of them"
            )
    workflows = _one_each("workflow", {app.name: [(type_of(one), one) for one in app.workflows] for app in apps})
    specs = {app.name: [(spec.name, one) for one in app.tools for spec in one.specs()] for app in apps}
    tools = _one_each("tool", specs)
    redact = [app.redact for app in apps if app.redact]
    return App(
        name="-".join(names),
        workflows=workflows,
        tools=tools,
        passthrough=tuple(dict.fromkeys(module for app in apps for module in app.passthrough)),
        redact=(lambda text: reduce(lambda said, one: one(said), redact, text)) if redact else None,
    )


def _one_each(kind: str, given: Mapping[str, Sequence[tuple[str | None, T]]]) -> Sequence[T]:
    """Merge the named things of Apps, given by App name, without duplicates."""
    owners: dict[str | None, tuple[str, T]] = {}
    for app, things in given.items():
        for name, thing in things:
            owner, other = owners.setdefault(name, (app, thing))
            if other is not thing:
                called = "dynamic" if name is None else repr(name)
                raise ConfigInvalid(f"Apps {owner!r} and {app!r} have two different {kind}s {called}: rename one")
    return list({id(thing): thing for _, thing in owners.values()}.values())


def load_app(path: str) -> App:
    """Import the App at `package.module:attribute`, such as `mine.app:app`.

    Raises:
        ConfigInvalid: no App is there; the message names the wrong part of the path.
    """
    module, attribute = load_module("app", path)
    found = getattr(module, attribute, None)
    if not isinstance(found, App):
        known = [name for name, value in vars(module).items() if isinstance(value, App)]
        hint = f"it has {', '.join(known)}" if known else "it has none: write `app = App(...)` there"
        raise ConfigInvalid(f"app {path!r}: module {module.__name__!r} has no App named {attribute!r}; {hint}")
    return found


def load_module(what: str, path: str) -> tuple[ModuleType, str]:
    """Import the module of `package.module:attribute`, and return it with the attribute's name.

    Args:
        what: Subject of errors, such as `app`.
        path: Path as the user gives it.

    Raises:
        ConfigInvalid: the path is malformed, or no such module is there, or it does not parse.
    """
    module_name, _, attribute = path.partition(":")
    if not module_name or not attribute:
        raise ConfigInvalid(f"{what} {path!r}: write it as `package.module:attribute`, such as mine.{what}:{what}")
    try:
        return importlib.import_module(module_name), attribute
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # its own import is broken: its traceback says where
        raise ConfigInvalid(
            f"{what} {path!r}: there is no module {error.name!r} here; run from the project's root"
        ) from None
    except SyntaxError as error:
        file = os.path.relpath(error.filename or "?")
        raise ConfigInvalid(f"{what} {path!r}: {file}:{error.lineno}: {error.msg}") from None
