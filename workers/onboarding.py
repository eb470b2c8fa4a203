"""A worker process for onboardings: `python -m workers.onboarding`."""

import asyncio
import logging

from llmflow import worker
from llmflow.config import Settings
from workflows.onboarding.app import app

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(worker.run(app, settings=Settings.load()))
