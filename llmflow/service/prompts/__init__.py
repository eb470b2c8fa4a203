"""Prompts of an App and the store: versions, labels, rollouts, and drift between files and store."""

from llmflow.prompts.prompt import Prompts, PromptVersion
from llmflow.service.prompts.drift import Drift, Drifts, drifts
from llmflow.service.prompts.store import PromptStore, opened, store_name
from llmflow.service.prompts.versions import Difference, Pulled, difference, pull
from llmflow.stores.prompts.changes import FILE
from llmflow.stores.prompts.states import Move, PromptState, Version
from llmflow.types.rollouts import BUCKETS, Unit, percent

__all__ = [
    "BUCKETS",
    "FILE",
    "Difference",
    "Drift",
    "Drifts",
    "Move",
    "PromptState",
    "PromptStore",
    "PromptVersion",
    "Prompts",
    "Pulled",
    "Unit",
    "Version",
    "difference",
    "drifts",
    "opened",
    "percent",
    "pull",
    "store_name",
]
