"""Delays that vendors request."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from llmflow.errors import ProviderUnavailable, RateLimited
from llmflow.providers.dialects.delays import LONGEST_WAIT
from llmflow.providers.dialects.failures import Complaint, judge
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
