"""A worker process for customer support: `python -m workers.support`."""

import asyncio
import logging

from llmflow import worker
from llmflow.config import Settings
from workflows.support.app import app

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(worker.run(app, settings=Settings.load()))
