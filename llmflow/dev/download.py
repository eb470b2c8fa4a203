"""Download of the Temporal CLI by the means that the Temporal SDK has for its own tests."""

import sys
from datetime import timedelta
from pathlib import Path

from llmflow.dev.process import Say, run

# In a process of its own, because the SDK's download has no timeout and, once begun, cannot be given up: its thread
# then hangs or aborts the interpreter at exit (measured), hence also `_exit`. A process can be killed.
_DOWNLOAD = """
import asyncio, os, sys
from temporalio.testing import WorkflowEnvironment
async def main(folder, version):
    try:
        server = await WorkflowEnvironment.start_local(download_dest_dir=folder, dev_server_download_version=version)
    except RuntimeError as error:
        print(error, flush=True)
        os._exit(1)
    await server.shutdown()
    os._exit(0)
asyncio.run(main(*sys.argv[1:]))
"""


async def download(version: str, folder: Path, say: Say, *, timeout: timedelta = timedelta(minutes=2)) -> Path:
    """Download the Temporal CLI.

    Args:
        version: version of the CLI, such as `v1.9.1`.
        folder: empty folder; all files go there.
        say: called with messages about progress.
        timeout: time limit; the download itself has none.

    Returns:
        The executable.

    Raises:
        ServerUnavailable: the network refuses, or does not answer in time.
    """
    say(f"downloading the Temporal CLI {version}: about a minute, only this once")
    await run([sys.executable, "-c", _DOWNLOAD, folder, version], timeout=timeout, cwd=folder)
    return folder / f"temporal-{version}"
