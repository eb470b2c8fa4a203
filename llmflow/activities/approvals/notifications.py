"""Activities that notify approvers of questions."""

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
    """Activities with this worker's notification settings."""

    def __init__(self, attributes: KnownAttributes, webhook: Webhook | None) -> None:
        self._attributes = attributes
        self._webhook = webhook

    @activity.defn(name=REACH.name)
    async def reach(self, request: ReachRequest) -> Reach:
        """Return the notification settings, once per run."""
        return Reach(attributes=await self._attributes(), webhook=self._webhook is not None)

    @activity.defn(name=NOTIFY.name)
    async def notify(self, notification: Notification) -> Delivered:
        """Notify the webhook of an event of a question.

        Raises:
            NotificationFailed: the webhook refused; or this worker has none, although another worker of the run has.
        """
        if self._webhook is None:
            raise NotificationFailed("this worker has no LLMFLOW_WEBHOOK, but another worker of the run has: set it")
        with heartbeats():
            return Delivered(status=await self._webhook.post(_message_id(), _body(notification)))


def _message_id() -> str:
    """Make a message id: equal for all attempts of one activity, and unique otherwise."""
    info = activity.info()
    told = "\n".join((info.workflow_id or "", info.workflow_run_id or "", info.activity_id))
    return f"msg_{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def _body(notification: Notification) -> bytes:
    """Encode as JSON with all fields, for receivers that do not know our defaults."""
    return to_json({name: plain(value) for name, value in notification})
