"""A worker process for customer support: `python -m workers.support`."""

import asyncio

from llmflow import worker
from llmflow.config import Settings
from workflows.support.app import app

if __name__ == "__main__":
    asyncio.run(worker.run(app, settings=Settings.load()))
