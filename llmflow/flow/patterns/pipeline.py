"""Flow: typed steps over one state."""

from collections.abc import Callable
from typing import Generic, TypeVar

from llmflow.flow.patterns.steps import Step, take

State = TypeVar("State")


class Flow(Generic[State]):
    """Steps over one state, each from one state to the next: `Flow[Ticket](triage, answer, close)`.

    A flow is itself a step. Each of its steps is a step of the run, so `llmflow steps` shows its progress.
    """

    def __init__(self, *steps: Step[State, State], stop: Callable[[State], bool] | None = None) -> None:
        self._steps = steps
        self._stop = stop
        self.__name__ = "flow"  # as a step of another pattern

    async def __call__(self, state: State) -> State:
        """Run the steps in order, until `stop` returns True for the state."""
        for step in self._steps:
            if self._stop and self._stop(state):
                break
            state = await take(step, state)
        return state
