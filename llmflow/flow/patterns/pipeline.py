"""Flow: typed steps over one state."""

from collections.abc import Callable
from typing import Generic, TypeVar

from llmflow.flow.patterns.steps import Step, take

State = TypeVar("State")


class Flow(Generic[State]):
    """Steps over one state, each of which takes it and gives the next: `Flow[Ticket](triage, answer, close)`.

    A flow is itself a step. Each of its steps is a step of the run, so `llmflow steps` shows how far it is.
    """

    def __init__(self, *steps: Step[State, State], stop: Callable[[State], bool] | None = None) -> None:
        self._steps = steps
        self._stop = stop
        self.__name__ = "flow"  # as a step of another pattern

    async def __call__(self, state: State) -> State:
        """Take the steps in their order, until `stop` says that the state needs no more of them."""
        for step in self._steps:
            if self._stop and self._stop(state):
                break
            state = await take(step, state)
        return state
