"""Scores in workflow code."""

from llmflow.flow.execute import execute_local
from llmflow.flow.run import current
from llmflow.types.contracts import SCORE
from llmflow.types.reports import Score
from llmflow.types.scores import ScoreRequest, check_score


async def score(name: str, value: float, *, comment: str | None = None) -> Score:
    """Store a score of the run: `await flow.score("helpful", 0.8)`.

    It is kept beside the scores that people give with `run.score`, and counts like theirs: for the root run, and for
    the prompt versions and models of its tree. Its judge is its place in the run, such as
    `research-1/evaluate/score#1`: the scores of several places or items are averaged. While the store does not answer,
    it is retried for an hour and a half, as a pin is.

    Args:
        name: Name of the judged quality, such as `helpful`.
        value: Finite number, on one scale for all scores of the name; 1 and 0 for yes and no.
        comment: Reason.

    Raises:
        InputInvalid: the name is empty, or the value is not a finite number.
        StoreUnavailable: the store did not answer in all that time.
    """
    check_score(name, value)
    run = current()
    address = run.steps.address("score")
    request = ScoreRequest(name=name, value=value, comment=comment, address=address, root=run.origin.root)
    return await execute_local(SCORE, request)
