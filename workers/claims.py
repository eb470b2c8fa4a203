"""A worker process for the claims desk: `python -m workers.claims`."""

import asyncio

from llmflow import worker
from llmflow.config import Settings
from workflows.claims.app import app

if __name__ == "__main__":
    asyncio.run(worker.run(app, settings=Settings.load()))
