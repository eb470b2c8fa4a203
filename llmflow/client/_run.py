"""One run."""

from datetime import timedelta
from typing import Any, Generic, TypeVar

from temporalio.client import WorkflowFailureError, WorkflowHandle

from llmflow.client._errors import how_it_ended, readable_errors
from llmflow.client._status import status_of
from llmflow.errors import ConfigInvalid, RunNotCompleted
from llmflow.stores.database import Database
from llmflow.stores.scores import new_score, put_score, root_of
from llmflow.types.contracts import STEPS, USAGE, Query
from llmflow.types.reports import Score
from llmflow.types.runs import RunStatus
from llmflow.types.steps import StepRecord, StepReport
from llmflow.types.usage import UsageReport

Out = TypeVar("Out")
Answer = TypeVar("Answer")

ANSWER_WITHIN = timedelta(seconds=10)
"""How long a query may take. Without a worker on the run's task queue it gets no answer at all."""


class Run(Generic[Out]):
    """One run, by its id."""

    def __init__(self, handle: WorkflowHandle[Any, Out], store: str | None = None) -> None:
        self.handle = handle
        """Temporal's own handle, for everything that is not here."""
        self._store = store

    @property
    def id(self) -> str:
        """The workflow id."""
        return self.handle.id

    @property
    def run_id(self) -> str | None:
        """The run id that this object was made for, if for one."""
        return self.handle.run_id or self.handle.result_run_id

    async def result(self) -> Out:
        """Wait for the run to end, and get what it returned.

        Raises:
            RunNotCompleted: it ended otherwise; the message says how, and `__cause__` is the error.
            RunNotFound: no run has this id.
        """
        async with readable_errors(self.id):
            try:
                return await self.handle.result()
            except WorkflowFailureError as error:
                raise RunNotCompleted(f"run {self.id!r} {how_it_ended(error.cause)}") from error.cause

    async def status(self) -> RunStatus:
        """Where it stands. Needs no worker.

        Raises:
            RunNotFound: no run has this id.
        """
        async with readable_errors(self.id):
            return await status_of(await self.handle.describe())

    async def usage(self) -> UsageReport:
        """Tokens and money so far, by model and by prompt version.

        Raises:
            NoWorker: nothing polls the run's task queue, so it cannot answer.
            RunNotFound: no run has this id.
        """
        return await self._ask(USAGE)

    async def steps(self) -> tuple[StepRecord, ...]:
        """Its steps, in the order in which they began.

        Raises:
            NoWorker: nothing polls the run's task queue, so it cannot answer.
            RunNotFound: no run has this id.
        """
        return (await self.progress()).steps

    async def progress(self) -> StepReport:
        """Its steps, and the calls that llmflow itself holds back, for a limit or a broken vendor, and until when.

        Raises:
            NoWorker: nothing polls the run's task queue, so it cannot answer.
            RunNotFound: no run has this id.
        """
        return await self._ask(STEPS)

    async def score(self, name: str, value: float, *, by: str | None = None, comment: str | None = None) -> Score:
        """Keep what somebody thinks of the run, now or days later, also when Temporal has long forgotten it.

        The run is its whole tree: a score of a child counts for the run that began it. It is credited to the prompt
        versions and models of the tree: `llmflow prompts compare` adds it up.

        Args:
            name: What is judged, such as `helpful`.
            value: Any number, the same scale for all scores of a name; 1 and 0 for yes and no.
            by: Who says so. A second score of the same name by the same person replaces the first.
            comment: Why.

        Raises:
            RunNotFound: neither the store nor Temporal knows a run of this id.
            InputInvalid: the name is empty, or the value is no finite number.
            ConfigInvalid: this client was made without a store, or the store has an older schema, or is not there.
            StoreUnavailable: the store does not answer.
        """
        if self._store is None:
            raise ConfigInvalid("scores are kept in the store: give connect(store=...), or set LLMFLOW_STORE")
        score = new_score(self.id, name, value, by, comment)
        # For this alone: a client holds no connection to the store.
        async with Database(self._store, create=False) as database:
            root = await root_of(database, self.id) or await self._root()
            return await put_score(database, score.model_copy(update={"run": root}))

    async def cancel(self) -> None:
        """Ask it to stop: running calls are cut, and its clean-up code runs. A run that has ended stays as it is.

        Raises:
            RunNotFound: no run has this id.
        """
        async with readable_errors(self.id):
            await self.handle.cancel()

    async def terminate(self, reason: str) -> None:
        """End it from outside, at once: none of its code runs any more.

        Raises:
            RunNotFound: no run has this id, or it has ended.
        """
        async with readable_errors(self.id):
            await self.handle.terminate(reason=reason)

    async def _ask(self, query: Query[Answer]) -> Answer:
        async with readable_errors(self.id):
            return await self.handle.query(query.name, result_type=query.output, rpc_timeout=ANSWER_WITHIN)

    async def _root(self) -> str:
        async with readable_errors(self.id):
            found = await self.handle.describe()
        return found.raw_description.workflow_execution_info.root_execution.workflow_id or found.id
