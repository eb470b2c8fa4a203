"""The activities that tell people of a question."""

import hashlib

from pydantic_core import to_json
from temporalio import activity

from llmflow.activities.approvals.webhook import Webhook
from llmflow.activities.attributes import KnownAttributes
from llmflow.activities.heartbeat import heartbeats
from llmflow.errors import NotificationFailed
from llmflow.types.approvals import Delivered, Notification, Reach, ReachRequest
from llmflow.types.base import plain
from llmflow.types.contracts import NOTIFY, REACH


class NotificationActivities:
    """Knows how people are reached from this worker."""

    def __init__(self, attributes: KnownAttributes, webhook: Webhook | None) -> None:
        self._attributes = attributes
        self._webhook = webhook

    @activity.defn(name=REACH.name)
    async def reach(self, request: ReachRequest) -> Reach:
        """Say, once per run, how its questions are made known."""
        return Reach(attributes=await self._attributes(), webhook=self._webhook is not None)

    @activity.defn(name=NOTIFY.name)
    async def notify(self, notification: Notification) -> Delivered:
        """Tell the webhook what has happened to a question.

        Raises:
            NotificationFailed: it does not take it; or this worker has no webhook, where the run's own has one.
        """
        if self._webhook is None:
            raise NotificationFailed(
                "this worker has no LLMFLOW_WEBHOOK, and the one that runs the workflow has: set it"
            )
        with heartbeats():
            return Delivered(status=await self._webhook.post(_message_id(), _body(notification)))


def _message_id() -> str:
    """The same for every attempt of one activity, and for nothing else."""
    info = activity.info()
    told = "\n".join((info.workflow_id or "", info.workflow_run_id or "", info.activity_id))
    return f"msg_{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def _body(notification: Notification) -> bytes:
    """JSON with every field, for receivers that do not know our defaults."""
    return to_json({name: plain(value) for name, value in notification})
