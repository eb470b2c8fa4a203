"""Plans of forks: what a fork would take over, execute, spend and ask."""

from datetime import timedelta
from typing import Literal

from llmflow.types.base import Wire
from llmflow.types.usage import Dollars, Totals

Outcome = Literal["taken", "its failure is taken", "called", "the fork stops here"]


class PlannedCalls(Wire):
    """Calls of one step, as the run made them."""

    step: str
    calls: int
    """Number of activities."""
    usage: Totals = Totals()


class PlannedEffect(Wire):
    """One effect of the run, and what becomes of it in the fork if its input stays the same."""

    address: str
    call: str
    outcome: Outcome


class Plan(Wire):
    """Calls, cost, effects and questions of a fork, if it takes the way of the run."""

    source: str
    step: str
    until: str
    taken: tuple[PlannedCalls, ...]
    """Calls whose results are reused, as far as their input stays the same."""
    executed: tuple[PlannedCalls, ...]
    """Calls that are made again. Their usage is that of the run."""
    usage: Totals
    """Usage of the run by the calls that are made again: an estimate of what the fork pays."""
    whole: Totals = Totals()
    """Usage of the whole run: an estimate for another input, prompt or model that changes everything."""
    unanswered: int = 0
    """Model calls that are made again and had no answer in the run: nothing is known about their cost."""
    most: Dollars | None = None
    """Upper bound in US dollars: the budget of the fork, which is that of the run. `None`: there is none."""
    effects: tuple[PlannedEffect, ...]
    decisions: tuple[str, ...]
    """Questions whose decision or deadline is taken over."""
    questions: tuple[str, ...]
    """Questions that people are asked again."""
    timers: int
    """Bare timers that run again."""
    timers_length: timedelta
    """Their lengths, added up."""
    messages: tuple[str, ...]
    """The user's own signals and updates that the run got, which are not sent to the fork."""
    unchanged: tuple[str, ...] = ()
    """Prompts of which the run had the version already."""
