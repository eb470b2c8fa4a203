"""Workflow classes: their attributes set by `@workflow.defn` and `@workflow.init`."""

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from temporalio import workflow
from temporalio.common import RawValue

from llmflow.sdk.marks import definition_of

_INIT = "__temporal_workflow_init"


@dataclass(frozen=True)
class Definition:
    """A workflow class."""

    cls: type

    @property
    def name(self) -> str | None:
        """Name of its type; `None` for a dynamic workflow."""
        return self._mark.name

    @property
    def method(self) -> Any:  # Any: of any signature
        """The `run` method."""
        return self._mark.run_fn

    @property
    def _mark(self) -> Any:  # Any: a private class of the SDK
        return definition_of(self.cls)

    def listed(self, arguments: Sequence[Any]) -> Sequence[Any]:  # Any: the user's own types
        """Return the input as a sequence; a dynamic workflow gets it as one list."""
        return arguments if self.name is not None else arguments[0]

    def types_of(self, count: int) -> list[type] | None:
        """Return the types for decoding `count` values of the input, by Temporal's rule."""
        if self.name is None:
            return [RawValue] * count
        known: list[type] | None = self._mark.arg_types
        return known if known and len(known) == count else None

    def make(self, arguments: Sequence[Any]) -> object:  # Any: the user's own types
        """Make a new object like Temporal, but register no handlers that `__init__` sets: the run has its own."""
        if not hasattr(self.cls.__init__, _INIT):
            arguments = ()
        elif self.name is None:
            arguments = [arguments]
        with _same_handlers():
            return self.cls(*arguments)

    def in_sandbox(self) -> "Definition":
        """Return the class from the modules of the calling workflow instance's sandbox."""
        if not workflow.unsafe.in_sandbox() or not self._mark.sandboxed:
            return self
        module = "__temporal_main__" if self.cls.__module__ == "__main__" else self.cls.__module__
        # Restrictions are stricter in a running workflow. The worker imported the module under the usual ones.
        with workflow.unsafe.sandbox_unrestricted():
            return Definition(getattr(__import__(module, fromlist=[self.cls.__name__]), self.cls.__name__))


@contextmanager
def _same_handlers() -> Generator[None]:
    loop = cast(Any, asyncio.get_running_loop())  # Any: the SDK's workflow instance, which is the loop
    tables: list[dict[str | None, object]] = [loop._queries, loop._signals, loop._updates]
    before = [dict(table) for table in tables]
    try:
        yield
    finally:
        for table, handlers in zip(tables, before, strict=True):
            table.clear()
            table.update(handlers)
