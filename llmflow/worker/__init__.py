"""The worker: the only room that puts activities, providers and stores together."""

from llmflow.plugin import GRACEFUL_SHUTDOWN
from llmflow.worker._activities import activities, pin_activities
from llmflow.worker._app import (
    app_model_catalogue,
    app_prices,
    check_prompt,
    check_prompts,
    missing_keys,
    prompts_of,
    recorded_price,
)
from llmflow.worker._serving import run

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
