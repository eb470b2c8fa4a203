"""The activity that looks up when decisions were sent."""

from datetime import UTC, datetime

from temporalio import activity

from llmflow.activities.forks.histories import Histories, readable_history
from llmflow.activities.heartbeat import heartbeats
from llmflow.history.events import events_of, signaled
from llmflow.types.approvals import Sent, SentRequest
from llmflow.types.contracts import DECIDE, SENT


class SentDecisions:
    """Reads times of decisions in the history of the calling run. They stand in clear, whatever its codec is."""

    def __init__(self, histories: Histories) -> None:
        self._histories = histories

    @activity.defn(name=SENT.name)
    async def sent(self, request: SentRequest) -> Sent:
        """Return the times at which Temporal received decisions by signal.

        Raises:
            RunNotFound: the history was deleted.
            ServerUnavailable: the history cannot be read now.
        """
        with heartbeats():  # a long history takes some seconds
            times = await self._times(request.run_id)
        return Sent(at=tuple(times[number - 1] for number in request.numbers))

    async def _times(self, run_id: str) -> list[datetime]:
        client, id = self._histories.client, activity.info().workflow_id or ""
        with readable_history(id, f"the history of run {id!r} ({run_id}), to which decisions were sent, was deleted"):
            return [
                event.event_time.ToDatetime(UTC)
                async for event in events_of(client, id, run_id)
                if (signal := signaled(event)) and signal.signal_name == DECIDE.name
            ]
