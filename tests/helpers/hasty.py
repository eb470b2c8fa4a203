"""A Temporal server that finds histories long early."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from llmflow.config import Settings
from llmflow.dev.executable import temporal_executable
from llmflow.dev.server import private_server


@asynccontextmanager
async def hasty_server(events: int) -> AsyncGenerator[str]:
    """The address of a server that suggests to continue as new after so many events, where others say 4,096."""
    suggest = f"limit.historyCount.suggestContinueAsNew={events}"
    executable = await temporal_executable(Settings.load(), lambda _: None)
    async with private_server(executable, "--dynamic-config-value", suggest) as server:
        yield server.address
