"""The worker: the only room that puts activities, providers and stores together."""

from llmflow.plugin import GRACEFUL_SHUTDOWN
from llmflow.worker.apps import (
    app_model_catalogue,
    app_prices,
    check_prompt,
    check_prompts,
    missing_keys,
    prompts_of,
    recorded_price,
)
from llmflow.worker.serving import run
from llmflow.worker.wiring import activities, pin_activities

__all__ = [
    "GRACEFUL_SHUTDOWN",
    "activities",
    "app_model_catalogue",
    "app_prices",
    "check_prompt",
    "check_prompts",
    "missing_keys",
    "pin_activities",
    "prompts_of",
    "recorded_price",
    "run",
]
