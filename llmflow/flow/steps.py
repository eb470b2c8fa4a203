"""Steps: named, recorded parts of a run."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.flow.failures import described
from llmflow.flow.run import CurrentRun, current, path
from llmflow.types.addresses import is_name, joined
from llmflow.types.steps import StepRecord, StepStatus


class Step:
    """An open step. Its record is what `llmflow status` and the query `llmflow.steps` show."""

    def __init__(self, run: CurrentRun, key: str) -> None:
        self._run = run
        self._key = key

    @property
    def record(self) -> StepRecord:
        """The step as it stands."""
        return self._run.steps.record(self._key)

    def advance(self, units: int = 1, *, failed: int = 0) -> None:
        """Count `units` of work as done, and say how many of them failed."""
        self._update(done=(self.record.done or 0) + units, failed=self.record.failed + failed)

    def _update(self, **changes: object) -> None:
        self._run.steps.change(self._key, **changes)
        self._run.show()

    def end(self, status: StepStatus, error: str | None = None) -> None:
        """Close the record. `flow.step` does it."""
        self._update(status=status, ended_at=workflow.now(), error=error)
        if not self._run.steps.is_any_open():  # the end of a phase
            self._run.publish()


@asynccontextmanager
async def step(name: str, *, total: int | None = None) -> AsyncGenerator[Step]:
    """A named part of the run: `async with flow.step("summarise", total=len(passages)) as step: ...`.

    Calls inside carry its name in their activity ids (`summarise/complete#1`). Steps nest; each parallel branch sees
    its own. A name that comes a second time in the same place becomes `name#2`.

    Args:
        name: Short and readable, without `/` and `#`.
        total: Units of work expected, if they are counted with `step.advance()`.

    Raises:
        InputInvalid: the name is empty or has a `/` or `#`.
    """
    if not is_name(name):
        raise InputInvalid(f"step name {name!r}: use a non-empty name without `/` and `#`", ErrorDetail(field="name"))
    async with recorded(name, total=total) as opened:
        yield opened


@asynccontextmanager
async def recorded(name: str, *, total: int | None) -> AsyncGenerator[Step]:
    """A step whose name is good: `investigate#2` is one, in a child that does a part of that step of its parent's."""
    run = current()
    run.machines.work()
    here = run.steps.enter(name, workflow.now(), total)
    opened = Step(run, joined(here))
    run.show()
    token = path.set(here)
    try:
        yield opened
    except workflow.ContinueAsNewError:
        opened.end("completed")
        raise
    except (Exception, asyncio.CancelledError) as error:
        if is_cancelled_exception(error):
            opened.end("cancelled")
        else:
            opened.end("failed", described(error))
        raise
    else:
        opened.end("completed")
    finally:
        with suppress(ValueError):  # an async generator that is closed by another task is in another context
            path.reset(token)
