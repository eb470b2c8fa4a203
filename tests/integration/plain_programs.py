"""Programs without llmflow, each run with the plugin and without: the rows of docs/plain-and-plugin.md."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel, ValidationError
from temporalio import activity, workflow
from temporalio.common import RetryPolicy

SECONDS = timedelta(seconds=20)
ONCE = RetryPolicy(maximum_attempts=1)


class Row(BaseModel):
    """A model that `{"b": 1}` does not fit."""

    a: int


@activity.defn
async def lacking() -> dict[str, int]:
    return {"b": 1}


@activity.defn
async def heavy(size: int) -> str:
    return "x" * size


@activity.defn
async def broken() -> None:
    Row.model_validate({})


@activity.defn
async def greet(name: str) -> str:
    return f"hello {name}"


@workflow.defn
class Stray:
    """Raises pydantic's error in its own code."""

    @workflow.run
    async def run(self) -> int:
        return Row.model_validate({"b": 1}).a


@workflow.defn
class Lacking:
    """Gets an activity's result that lacks a field."""

    @workflow.run
    async def run(self) -> int:
        row: Row = await workflow.execute_activity("lacking", start_to_close_timeout=SECONDS, result_type=Row)
        return row.a


@workflow.defn
class Takes:
    """Takes a model, and is started with an input that does not fit."""

    @workflow.run
    async def run(self, row: Row) -> int:
        return row.a


@workflow.defn(failure_exception_types=[ValidationError])
class Declared:
    """Says itself that pydantic's error fails it."""

    @workflow.run
    async def run(self) -> int:
        row: Row = await workflow.execute_activity("lacking", start_to_close_timeout=SECONDS, result_type=Row)
        return row.a


@workflow.defn
class Unwritable:
    """Returns a value that no JSON can represent."""

    @workflow.run
    async def run(self) -> object:
        return Unwritable


@workflow.defn
class Caught:
    """Catches the errors of activities as Temporal has them."""

    @workflow.run
    async def run(self, size: int) -> list[str]:
        said: list[str] = []
        for name, args in (("heavy", [size]), ("broken", [])):
            try:
                await workflow.execute_activity(name, args=args, start_to_close_timeout=SECONDS, retry_policy=ONCE)
            except Exception as error:  # of any class: they are compared
                said.append(f"{type(error).__name__}, {type(error.__cause__).__name__}: {error.__cause__}")
        return said


@dataclass
class Told:
    """State of a run with handlers."""

    names: list[str]


@workflow.defn
class Handled:
    """Has handlers; one of them raises pydantic's error."""

    def __init__(self) -> None:
        self.told = Told(names=[])

    @workflow.signal
    def tell(self, name: str) -> None:
        """Take a name; pydantic refuses the empty one."""
        if not name:
            Row.model_validate({})
        self.told.names.append(name)

    @workflow.update
    async def add(self, name: str) -> int:
        """Add a name."""
        self.told.names.append(await workflow.execute_activity(greet, name, start_to_close_timeout=SECONDS))
        return len(self.told.names)

    @add.validator
    def check(self, name: str) -> None:
        """Refuse the empty name."""
        Row.model_validate({"a": len(name) or None})

    @workflow.query
    def known(self) -> Told:
        """Return all names."""
        return self.told

    @workflow.run
    async def run(self, wanted: int) -> Told:
        await workflow.wait_condition(lambda: len(self.told.names) >= wanted)
        return self.told


@activity.defn
async def beat() -> None:
    for _ in range(12):
        activity.heartbeat()
        await asyncio.sleep(0.2)


@activity.defn
async def endless() -> None:
    await asyncio.sleep(60)


@workflow.defn
class Calls:
    """Calls one activity, once."""

    @workflow.run
    async def run(self, name: str) -> None:
        await workflow.execute_activity(
            name, start_to_close_timeout=SECONDS, heartbeat_timeout=timedelta(seconds=60), retry_policy=ONCE
        )


@workflow.defn
class Neighbour:
    """Calls an activity of the worker next door, once, and asks for its own type."""

    @workflow.run
    async def run(self, name: str) -> str:
        assert workflow.info().workflow_type == "Neighbour"
        return await workflow.execute_activity(greet, name, start_to_close_timeout=SECONDS, retry_policy=ONCE)


WORKFLOWS = [Calls, Caught, Declared, Handled, Lacking, Neighbour, Stray, Takes, Unwritable]
ACTIVITIES = [beat, broken, endless, greet, heavy, lacking]
