"""Forks in workflow code: a saga of a fork ends well only if its recorded actions still stand."""

from collections.abc import Sequence

from llmflow.flow.execute import execute
from llmflow.flow.run import CurrentRun
from llmflow.types.calls import CallOptions
from llmflow.types.contracts import STANDS
from llmflow.types.forks import StandsRequest


async def stand(run: CurrentRun, paths: Sequence[str]) -> None:
    """Stop a fork that took results of actions which the run that it forks has undone.

    That run failed after them, and this one did not: its result would speak of a booking that was cancelled.
    """
    fork = run.forks.fork
    if fork and run.forks.keeps_effects:
        fork = run.forks.told(fork)
        await execute(STANDS, StandsRequest(paths=tuple(paths), fork=fork), verb="stands", options=CallOptions())
