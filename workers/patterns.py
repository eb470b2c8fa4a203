"""A worker process for the letters desk: `python -m workers.patterns`."""

import asyncio
import logging

from llmflow import worker
from llmflow.config import Settings
from workflows.patterns.app import app

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(worker.run(app, settings=Settings.load()))
