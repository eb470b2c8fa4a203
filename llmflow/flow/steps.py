"""Steps: named, recorded parts of a run."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.flow.failures import class_of, described
from llmflow.flow.run import CurrentRun, current, held, path
from llmflow.types.addresses import is_name, joined
from llmflow.types.steps import ItemFailure, StepRecord, StepStatus

MOST_FAILURES = 20
"""Failed items of a fan-out that the record of its step lists."""
MAX_ERROR = 300
"""Characters of each one's error."""


class Step:
    """An open step. `llmflow status` and the query `llmflow.steps` show its record."""

    def __init__(self, run: CurrentRun, key: str, *, is_told: bool) -> None:
        self._run = run
        self._key = key
        self._is_told = is_told
        if is_told:
            run.events.opened(self.record)

    @property
    def record(self) -> StepRecord:
        """The current record of the step."""
        return self._run.steps.record(self._key)

    def advance(self, units: int = 1, *, failed: int = 0) -> None:
        """Count `units` of work as done, `failed` of them as failed."""
        self._update(done=(self.record.done or 0) + units, failed=self.record.failed + failed)

    def fail(self, index: int, label: str | None, error: BaseException) -> None:
        """Count an item of a fan-out as done and failed, under the class of its error."""
        record, cause = self.record, described(error)
        kind = class_of(error)
        causes = {**record.causes, kind: record.causes.get(kind, 0) + 1}
        changes: dict[str, object] = {"causes": dict(sorted(causes.items(), key=lambda one: (-one[1], one[0])))}
        if len(record.failures) < MOST_FAILURES:
            failure = ItemFailure(index=index, label=label, error=cause[:MAX_ERROR])
            changes["failures"] = (*record.failures, failure)
        self._update(done=(record.done or 0) + 1, failed=record.failed + 1, **changes)

    def _update(self, **changes: object) -> None:
        self._run.steps.change(self._key, **changes)
        self._run.show()

    def end(self, status: StepStatus, error: str | None = None) -> None:
        """Close the record; called by `flow.step`."""
        self._update(status=status, ended_at=workflow.now(), error=error)
        if self._is_told:
            self._run.events.closed(self.record)
        if not self._run.steps.is_any_open():  # the end of a phase
            self._run.publish()


@asynccontextmanager
async def step(name: str, *, total: int | None = None) -> AsyncGenerator[Step]:
    """Open a named part of the run: `async with flow.step("summarise", total=len(passages)) as step: ...`.

    Calls inside carry its name in their activity ids (`summarise/complete#1`). Steps nest; each parallel branch has
    its own. The second use of a name in the same place becomes `name#2`.

    Args:
        name: Short and readable, without `/` and `#`.
        total: Expected units of work, if the code counts them with `step.advance()`.

    Raises:
        InputInvalid: the name is empty or contains `/` or `#`.
    """
    if not is_name(name):
        raise InputInvalid(f"step name {name!r}: use a non-empty name without `/` and `#`", ErrorDetail(field="name"))
    async with recorded(name, total=total) as opened:
        yield opened


@asynccontextmanager
async def recorded(name: str, *, total: int | None, is_told: bool = True) -> AsyncGenerator[Step]:
    """Open a step without a check of its name: a batch child repeats `investigate#2` of its parent, untold."""
    run = current()
    run.machines.work()
    here = run.steps.enter(name, workflow.now(), total)
    opened = Step(run, joined(here), is_told=is_told)
    run.show()
    with held(path, here):
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
