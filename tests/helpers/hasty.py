"""A Temporal server that finds histories long early."""

import signal
import socket
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from llmflow.config import Settings
from llmflow.dev.executable import temporal_executable
from llmflow.dev.launch import running_server


@asynccontextmanager
async def hasty_server(events: int) -> AsyncGenerator[str]:
    """The address of a server that suggests to continue as new after so many events, where others say 4,096."""
    suggest = ["--headless", "--dynamic-config-value", f"limit.historyCount.suggestContinueAsNew={events}"]
    with tempfile.TemporaryFile() as log, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        executable = await temporal_executable(Settings.load(), lambda _: None)
        async with running_server(executable, suggest, port=port, log=log, stop=signal.SIGKILL):
            yield f"127.0.0.1:{port}"
