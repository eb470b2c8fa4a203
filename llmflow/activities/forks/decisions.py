"""The activity by which a fork finds recorded decisions."""

from temporalio import activity

from llmflow.activities.forks.histories import Histories
from llmflow.activities.heartbeat import heartbeats
from llmflow.types.approvals import Recalled, RecallRequest
from llmflow.types.contracts import RECALL


class RecordedDecisions:
    """Finds the decisions on questions in the history of the run that is forked."""

    def __init__(self, histories: Histories) -> None:
        self._histories = histories

    @activity.defn(name=RECALL.name)
    async def recall(self, request: RecallRequest) -> Recalled:
        """Find the decision on the same question at the same address, made before the step of the fork.

        Raises:
            RunNotFound: the history of the original run was deleted.
            ServerUnavailable: the history cannot be read now.
        """
        with heartbeats():  # a long history takes some seconds
            for source in await self._histories.sources(request.fork):
                address = activity.info().activity_id
                for settled in reversed(await source.settled()):
                    if (settled.address, settled.digest) == (address, request.digest):
                        return Recalled(settled=settled)
        return Recalled()
