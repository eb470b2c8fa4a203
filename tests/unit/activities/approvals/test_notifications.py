"""The webhook's requests, as a receiver gets them."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook as Receiver
from temporalio.testing import ActivityEnvironment

from llmflow.activities.approvals.notifications import NotificationActivities
from llmflow.activities.approvals.webhook import Webhook
from llmflow.errors import NotificationFailed
from llmflow.types.approvals import Delivered, Notification, Question, Reach, ReachRequest, Vote
from llmflow.types.attributes import SearchAttributes
from tests.helpers.model_server import DROPPED, ModelServer, Received, Reply

KEY = bytes(range(32))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ASKED = Notification(
    event="asked",
    run="ticket 4711",
    workflow="Support",
    question=Question(name="refund#2", payload={"usd": "12.50"}, details="Refund **Ana**?", asked_at=NOON),
    command="llmflow approvals approve 'ticket 4711' 'refund#2' --by NAME",
)


@pytest.fixture
async def receiver() -> AsyncIterator[ModelServer]:
    async with ModelServer(Reply.json({})) as server:
        yield server


def activities(url: str | None) -> NotificationActivities:
    async def attributes() -> SearchAttributes:
        return SearchAttributes(approval="LlmAwaitingApproval")

    return NotificationActivities(attributes, Webhook(url, SECRET) if url else None)


async def notify(url: str | None, notification: Notification = ASKED, **info: Any) -> Delivered:  # Any: fields of Info
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, **info)
    return await environment.run(activities(url).notify, notification)


def verified(request: Received) -> dict[str, Any]:  # Any: JSON
    """Verify a message like a receiver, with the library of the specification's authors."""
    told: dict[str, Any] = Receiver(SECRET).verify(request.body, dict(request.headers))
    return told


async def test_it_is_signed_and_says_what_to_decide_and_how(receiver: ModelServer) -> None:
    assert await notify(f"{receiver.url}/hook?token=t") == Delivered(status=200)
    [request] = receiver.requests
    assert (request.method, request.path) == ("POST", "/v1/hook?token=t")
    assert request.headers["content-type"] == "application/json"
    told = verified(request)
    assert told["command"] == "llmflow approvals approve 'ticket 4711' 'refund#2' --by NAME"
    assert told["event"] == "asked"
    assert told["run"] == "ticket 4711"
    assert told["workflow"] == "Support"
    assert told["origin"]["tenant"] is None
    assert told["question"]["payload"] == {"usd": "12.50"}
    assert told["question"]["status"] == "open"
    assert told["question"]["asked_at"] == "2026-11-21T12:00:00Z"


async def test_what_is_decided_has_no_command(receiver: ModelServer) -> None:
    vote = Vote(approved=True, by="ana", at=NOON)
    question = ASKED.question.model_copy(update={"status": "approved", "votes": (vote,)})
    decided = {"event": "decided", "question": question, "command": None}
    await notify(receiver.url, ASKED.model_copy(update=decided))
    told = verified(receiver.requests[0])
    assert told["command"] is None
    assert told["question"]["votes"][0]["by"] == "ana"


async def test_attempts_share_an_id_that_no_other_notification_has(receiver: ModelServer) -> None:
    one: dict[str, Any] = {"workflow_id": "a", "workflow_run_id": "r", "activity_id": "notify#1"}  # Any: as above
    for info in (one, {**one, "attempt": 2}, {**one, "activity_id": "notify#2"}, {**one, "workflow_run_id": "s"}):
        await notify(receiver.url, ASKED, **info)
    first, second, *others = (request.headers["webhook-id"] for request in receiver.requests)
    assert first == second
    assert len({first, *others}) == 3
    for request in receiver.requests:
        verified(request)


@pytest.mark.parametrize("reply", [*(Reply(status=status) for status in (408, 429, 500, 503)), DROPPED])
async def test_what_passes_is_tried_again(receiver: ModelServer, reply: Reply) -> None:
    receiver.script(reply)
    with pytest.raises(NotificationFailed, match=r"the webhook at 127\.0\.0\.1") as failed:
        await notify(f"{receiver.url}/hook/of-ana")
    assert failed.value.retryable
    assert failed.value.detail.retry is not False
    assert "of-ana" not in str(failed.value)


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410])
async def test_what_stays_is_not(receiver: ModelServer, status: int) -> None:
    receiver.script(Reply(status=status, headers={"location": f"{receiver.url}/elsewhere"}))
    with pytest.raises(NotificationFailed, match=f"answers {status}, so it is not retried") as failed:
        await notify(receiver.url)
    assert failed.value.detail.status == status
    assert failed.value.detail.retry is False
    assert len(receiver.requests) == 1


async def test_a_receiver_that_is_away_is_tried_again(receiver: ModelServer) -> None:
    url = receiver.url
    await receiver.__aexit__(None)
    with pytest.raises(NotificationFailed, match="does not answer"):
        await notify(url)


async def test_a_worker_without_the_webhook_leaves_it_to_another() -> None:
    with pytest.raises(NotificationFailed, match="no LLMFLOW_WEBHOOK") as failed:
        await notify(None)
    assert failed.value.retryable


@pytest.mark.parametrize("url", [None, "https://example.com/hook"])
async def test_a_run_is_told_how_people_are_reached(url: str | None) -> None:
    reached = await ActivityEnvironment().run(activities(url).reach, ReachRequest())
    assert reached == Reach(attributes=SearchAttributes(approval="LlmAwaitingApproval"), webhook=url is not None)
