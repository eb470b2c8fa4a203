"""Failed activities in the log of a worker."""

import logging

import pytest

from llmflow.errors import RateLimited
from llmflow.telemetry.logs import OneLineForOurErrors

ABOUT = {
    "activity_type": "llmflow.complete",
    "activity_id": "write/complete#1",
    "workflow_id": "research-42",
    "attempt": 2,
}


def logged(error: Exception, caplog: pytest.LogCaptureFixture, **extra: object) -> str:
    logger = logging.getLogger("test.activity")
    logger.filters = [OneLineForOurErrors()]
    try:
        raise error
    except type(error):
        logger.warning("Completing activity as failed", exc_info=True, extra=extra)
    return caplog.handler.format(caplog.records[-1])


def test_an_error_of_ours_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    line = logged(RateLimited("slow down, 100 % of the quota is used"), caplog, temporal_activity=ABOUT)
    assert line.endswith(
        "llmflow.complete write/complete#1 of research-42, attempt 2 failed: "
        "RateLimited: slow down, 100 % of the quota is used"
    )
    assert "\n" not in line


def test_it_may_know_nothing_of_the_activity(caplog: pytest.LogCaptureFixture) -> None:
    assert "activity ? of ?, attempt ? failed: RateLimited: slow" in logged(RateLimited("slow"), caplog)


def test_an_error_of_the_users_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    assert "Traceback" in logged(ValueError("a bug"), caplog)
