"""The worker: the only room that puts activities, providers and stores together."""

from llmflow.worker.serving import run
from llmflow.worker.wiring import activities, pin_activities

__all__ = ["activities", "pin_activities", "run"]
