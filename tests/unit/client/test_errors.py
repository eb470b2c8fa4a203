"""What a Temporal server says, as an error of ours: whatever it is."""

import pytest
from temporalio.service import RPCError, RPCStatusCode

from llmflow.client._errors import readable_errors
from llmflow.errors import ConfigInvalid, LLMFlowError, ServerUnavailable


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
