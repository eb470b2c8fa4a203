"""Delays that vendors request."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from llmflow.errors import ProviderUnavailable, RateLimited
from llmflow.providers.dialects.complaints import Complaint
from llmflow.providers.dialects.delays import LONGEST_WAIT
from llmflow.providers.dialects.failures import judge
from llmflow.providers.jitter import JITTER
from llmflow.types.providers import NoDeltas, Provider
from tests.helpers.model_server import ModelServer, Reply

from ..conftest import Ask


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "20"}, 20),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "-3"}, 0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "0", "retry-after": "7"}, 0),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7),
        ({"retry-after": "86400"}, LONGEST_WAIT),
        ({"retry-after": "Wed, 01 Jan 2020 00:00:00 GMT"}, 0),
        ({"retry-after": "Wed, 01 Jan 2020 00:00:00 -0000"}, 0),
    ],
)
async def test_delays(
    server: ModelServer, responses: Provider, ask: Ask, headers: dict[str, str], seconds: float
) -> None:
    server.script(Reply.error(429, headers=headers))
    with pytest.raises(RateLimited, match="It asks to wait") as caught:
        await responses.complete(ask(), NoDeltas())
    wait = caught.value.detail.retry_after
    assert wait is not None
    assert seconds <= wait <= min(seconds * (1 + JITTER), LONGEST_WAIT)


async def test_a_delay_until_a_date(server: ModelServer, responses: Provider, ask: Ask) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=100)
    server.script(Reply.error(503, headers={"retry-after": format_datetime(moment, usegmt=True)}))
    with pytest.raises(ProviderUnavailable) as caught:
        await responses.complete(ask(), NoDeltas())
    assert 50 < (caught.value.detail.retry_after or 0) <= 100 * (1 + JITTER)


@pytest.mark.parametrize("value", ["", "soon", "nan", "inf", "1e999", "Someday, 99 Foo"])
def test_delays_that_are_none(value: str) -> None:
    assert judge(Complaint("", 429, headers={"retry-after": value}), "m").detail.retry_after is None


def test_delays_are_for_what_is_retried() -> None:
    assert judge(Complaint("", 401, headers={"retry-after": "5"}), "m").detail.retry_after is None


def test_delays_differ_so_that_calls_do_not_come_back_together() -> None:
    errors = [judge(Complaint("", 429, headers={"retry-after": "10"}), "m") for _ in range(20)]
    assert len({error.detail.retry_after for error in errors}) > 1


RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.074824224s"}


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        ({"message": "Rate limit reached for gpt-5: Limit 30000, Used 29900. Please try again in 1.5s. Visit"}, 1.5),
        ({"message": "Rate limit reached: Limit 500. Please try again in 120ms."}, 0.12),
        ({"message": "Rate limit reached for model. Please try again in 7m12.5s."}, 432.5),
        ({"message": "Requests have exceeded the call rate limit. Please retry after 6 seconds."}, 6),
        ({"message": "Please retry in 34.074824224s."}, 34.07),
        ({"message": "You exceeded your quota", "details": [{"@type": "Help"}, RETRY_INFO]}, 34.07),
        ({"message": "slow", "retry_after": 3}, 3),
        ({"message": "slow", "metadata": {"retry_after_seconds": 9}}, 9),
        ({"message": "try again in 2 days"}, LONGEST_WAIT),
        ({"message": "Please retry 3 times"}, None),
        ({"message": "Please try again later. Status 503s are rare."}, None),
        ({"message": "resets at 2026-01-01T00:00:00"}, None),
    ],
)
def test_delays_in_a_body(error: object, seconds: float | None) -> None:
    """OpenAI, Groq, Azure and Gemini, from their pages on rate limits and from public issues."""
    wait = judge(Complaint.read([{"error": error}], 429), "m").detail.retry_after
    assert (wait is None) == (seconds is None)
    assert seconds is None or seconds <= (wait or 0) <= min(seconds * (1 + JITTER) + 0.01, LONGEST_WAIT)
