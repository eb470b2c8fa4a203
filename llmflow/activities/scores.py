"""The activity behind `flow.score`."""

from temporalio import activity

from llmflow.stores.database import Database
from llmflow.stores.ledger.scores import new_score, put_score
from llmflow.types.addresses import joined
from llmflow.types.contracts import SCORE
from llmflow.types.reports import Score
from llmflow.types.scores import ScoreRequest


class ScoreActivities:
    """Writes scores into the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name=SCORE.name)
    async def put(self, request: ScoreRequest) -> Score:
        """Store a score of the run. Its judge is its own address, so that a second attempt replaces the first.

        Raises:
            InputInvalid: the name is empty, or the value is not a finite number.
            StoreUnavailable: the store does not answer.
        """
        id = activity.info().workflow_id or ""
        by = joined((id, request.address))
        score = new_score(request.root or id, request.name, request.value, by, request.comment)
        return await put_score(self._database, score)
