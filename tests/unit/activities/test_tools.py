"""Activities of tools."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from llmflow.activities.tools import tool_activity
from llmflow.tools import tool


class NotFoundError(Exception):
    """An error of a vendor's client, with the name of Temporal's own."""


@tool
async def find(name: str) -> str:
    """Find something."""
    raise NotFoundError(f"no {name}")


async def test_a_tools_own_not_found_is_not_temporals_which_is_no_attempt() -> None:
    with pytest.raises(ApplicationError, match="no shoe") as failed:
        await ActivityEnvironment().run(tool_activity(find, find.spec), {"name": "shoe"})
    assert failed.value.type == f"{__name__}.NotFoundError"
    assert not failed.value.non_retryable
