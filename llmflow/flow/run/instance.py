"""Workflow instances, and the runs that they get: at the start, at the first verb, or never."""

from contextvars import ContextVar

from temporalio import workflow

from llmflow.errors import ConfigInvalid
from llmflow.flow.run.code import Code
from llmflow.flow.run.host import Host
from llmflow.flow.run.run import CurrentRun


class Instance:
    """A workflow instance. It gets a `CurrentRun` once it uses llmflow; others get no state and no handlers."""

    def __init__(self, host: Host) -> None:
        """Make an instance on a worker."""
        self._host = host
        self.run: CurrentRun | None = None
        self._code: Code | None = None
        self._events = 0
        self._has_worked = False
        self._problem: Exception | None = None

    def install(self, info: workflow.Info) -> None:
        """Make the run before any user code runs."""
        self.run = run = CurrentRun(self._host)
        try:
            run.restore(info)
        except Exception as error:  # of any class: raised here, it would block the run; `begin` fails the run
            self._problem = error
        run.answer()

    def begin(self, code: Code, events: int) -> None:
        """Note that the workflow's `run` begins, with the length of the history.

        Raises:
            InputInvalid: see `CurrentRun.restore`.
        """
        if self._problem:
            raise self._problem
        self._code = code
        self._events = events
        if self.run:
            self.run.begin(code, self._events)

    def work(self) -> None:
        """Note an activity or a child that starts before there is a run."""
        self._has_worked = True

    def opened(self) -> CurrentRun:
        """Return the run; make it at the first verb of a workflow that did not get one at its start.

        Raises:
            InputInvalid: see `CurrentRun.restore`.
        """
        if self.run is None:
            run = CurrentRun(self._host)
            run.restore(workflow.info())
            self.run = run
            run.answer()
            if self._code:
                run.begin(self._code, self._events)
            if self._has_worked:
                run.machines.work()
        return self.run


instance: ContextVar[Instance | None] = ContextVar("llmflow_instance", default=None)
"""Set by the plugin in each task that Temporal starts: for `run` and for handlers."""


def current() -> CurrentRun:
    """Return the run of the calling workflow code.

    Raises:
        ConfigInvalid: the worker has no plugin.
    """
    if (found := instance.get()) is None:
        raise ConfigInvalid(
            "this worker has no plugin: connect its client with plugins=[llmflow.worker.LLMFlowPlugin(app)]"
        )
    return found.opened()
