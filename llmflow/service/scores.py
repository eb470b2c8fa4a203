"""Scores of runs."""

from collections.abc import Awaitable, Callable

from llmflow.client import Client
from llmflow.service.costs import ledger
from llmflow.stores.ledger.scores import new_score, put_score, root_of
from llmflow.types.base import changed
from llmflow.types.reports import Score


async def score_run(
    store: str,
    client: Callable[[], Awaitable[Client]],
    id: str,
    name: str,
    value: float,
    *,
    by: str,
    comment: str | None,
) -> Score:
    """Score a run, or the run that began the tree it is in.

    Args:
        store: URL of the store with the ledger.
        client: Makes a client. Called only for a run without a recorded call, which Temporal alone may know.
        id: Workflow id.
        name: Name of what is judged.
        value: A finite number.
        by: Author. A second score of the same name by the same person replaces the first.
        comment: Reason for the score.

    Raises:
        InputInvalid: the name is empty, or the value is not a finite number.
        RunNotFound: no run has this id.
        ConfigInvalid: the store has an older schema, or does not exist.
        StoreUnavailable: the store does not answer.
    """
    score = new_score(id, name, value, by, comment)
    async with ledger(store) as database:
        if root := await root_of(database, id):
            return await put_score(database, changed(score, run=root))
    return await (await client()).run(id).score(name, value, by=by, comment=comment)
