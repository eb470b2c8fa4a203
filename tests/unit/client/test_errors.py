"""All errors of a Temporal server, converted to llmflow's errors."""

import pytest
from temporalio.service import RPCError, RPCStatusCode

from llmflow.client.errors import readable_errors
from llmflow.errors import ConfigInvalid, InputInvalid, LLMFlowError, RunNotFound, ServerUnavailable


@pytest.mark.parametrize("status", RPCStatusCode)
async def test_every_status_is_an_error_of_ours(status: RPCStatusCode) -> None:
    with pytest.raises(LLMFlowError, match="the server's words"):
        async with readable_errors("run-1"):
            raise RPCError("the server's words", status, b"")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (RPCStatusCode.UNIMPLEMENTED, ConfigInvalid),
        (RPCStatusCode.RESOURCE_EXHAUSTED, ServerUnavailable),
        (RPCStatusCode.INTERNAL, ServerUnavailable),
    ],
)
async def test_only_what_may_work_later_is_worth_another_try(status: RPCStatusCode, error: type[LLMFlowError]) -> None:
    with pytest.raises(error):
        async with readable_errors("run-1"):
            raise RPCError("no", status, b"")


@pytest.mark.parametrize(
    ("status", "words", "error", "says"),
    [
        (
            RPCStatusCode.NOT_FOUND,
            "workflow not found for ID: run-1",
            RunNotFound,
            "there is no run 'run-1'",
        ),
        (
            RPCStatusCode.NOT_FOUND,
            "workflow execution already completed",
            RunNotFound,
            "run 'run-1' has ended already",
        ),
        (
            RPCStatusCode.INVALID_ARGUMENT,
            "malformed SQL query: syntax error at position 45 near 'LIKES'",
            InputInvalid,
            "Temporal does not accept 'run-1': malformed SQL query: syntax error near 'LIKES'",
        ),
    ],
)
async def test_what_people_run_into_is_said_in_plain_words(
    status: RPCStatusCode, words: str, error: type[LLMFlowError], says: str
) -> None:
    with pytest.raises(error) as raised:
        async with readable_errors("run-1"):
            raise RPCError(words, status, b"")
    assert str(raised.value) == says
