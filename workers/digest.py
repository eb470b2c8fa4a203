"""A worker process for the digest: `python -m workers.digest`."""

import asyncio
import logging

from llmflow import worker
from llmflow.config import Settings
from workflows.digest.app import app

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(worker.run(app, settings=Settings.load()))
