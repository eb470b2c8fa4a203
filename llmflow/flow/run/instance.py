"""From a workflow instance to its run: there from the start, or from the first verb, or never."""

from contextvars import ContextVar

from temporalio import workflow

from llmflow.errors import ConfigInvalid
from llmflow.flow.run.code import Code
from llmflow.flow.run.run import CurrentRun


class Instance:
    """A workflow instance. It gets a `CurrentRun` once it uses llmflow; others cost nothing, and show nothing."""

    def __init__(self) -> None:
        self.run: CurrentRun | None = None
        self._code: Code | None = None
        self._events = 0
        self._has_worked = False
        self._problem: Exception | None = None

    def install(self, info: workflow.Info) -> None:
        """Give it a run before any code of the user runs."""
        self.run = run = CurrentRun()
        try:
            run.restore(info)
        except Exception as error:  # whatever it is: raised here, it would block the run; `begin` fails it
            self._problem = error
        run.answer()

    def begin(self, code: Code) -> None:
        """The workflow's `run` begins.

        Raises:
            InputInvalid: see `CurrentRun.restore`.
        """
        if self._problem:
            raise self._problem
        self._code = code
        self._events = workflow.info().get_current_history_length()
        if self.run:
            self.run.begin(code, self._events)

    def work(self) -> None:
        """Code that has no run yet starts an activity or a child."""
        self._has_worked = True

    def opened(self) -> CurrentRun:
        """The run: a new one at the first verb of a workflow that nothing said to be ours.

        Raises:
            InputInvalid: see `CurrentRun.restore`.
        """
        if self.run is None:
            run = CurrentRun()
            run.restore(workflow.info())
            self.run = run
            run.answer()
            if self._code:
                run.begin(self._code, self._events)
            if self._has_worked:
                run.machines.work()
        return self.run


instance: ContextVar[Instance | None] = ContextVar("llmflow_instance", default=None)
"""Set by the plugin in each task that Temporal starts: that of `run`, and those of handlers."""


def current() -> CurrentRun:
    """The run that the calling workflow code belongs to.

    Raises:
        ConfigInvalid: the worker has no plugin.
    """
    if (found := instance.get()) is None:
        raise ConfigInvalid(
            "this worker has no plugin: connect its client with plugins=[llmflow.worker.LLMFlowPlugin(app)]"
        )
    return found.opened()
