"""Temporal servers that differ from that of `llmflow.testing.server`: one finds histories long early."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from llmflow.config import Settings
from llmflow.dev.executable import temporal_executable
from llmflow.dev.launch import configured
from llmflow.dev.server import private_server


@asynccontextmanager
async def hasty_server(events: int) -> AsyncGenerator[str]:
    """Run a server that suggests to continue as new after so many events, where others say 4,096; yield its address."""
    async with server_with(f"limit.historyCount.suggestContinueAsNew={events}") as address:
        yield address


@asynccontextmanager
async def server_with(*settings: str) -> AsyncGenerator[str]:
    """Run a server with these dynamic settings. As in production, it delays a fast continue-as-new."""
    executable = await temporal_executable(Settings.load(), lambda _: None)
    async with private_server(executable, *configured(settings)) as server:
        yield server.address
