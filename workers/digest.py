"""A worker process for the digest: `python -m workers.digest`."""

import asyncio

from llmflow import worker
from llmflow.config import Settings
from workflows.digest.app import app

if __name__ == "__main__":
    asyncio.run(worker.run(app, settings=Settings.load()))
