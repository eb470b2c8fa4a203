"""For tests of applications: a scripted model, an environment on a real Temporal server, checks of histories."""

from llmflow.testing.environment import Environment, environment, server
from llmflow.testing.history import activities_of, assert_replays
from llmflow.testing.provider import ScriptedProvider

__all__ = [
    "Environment",
    "ScriptedProvider",
    "activities_of",
    "assert_replays",
    "environment",
    "server",
]
