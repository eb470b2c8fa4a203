"""What every test has: one real Temporal server for the whole session."""

from collections.abc import AsyncIterator

import pytest

from llmflow.testing import server


@pytest.fixture(scope="session")
async def temporal() -> AsyncIterator[str]:
    """The address of a Temporal server that keeps nothing."""
    async with server() as address:
        yield address
