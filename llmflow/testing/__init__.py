"""Tools for tests of applications: a scripted model, scripted approvers, a real Temporal server, history checks."""

from llmflow.testing.approvals import approve_when_asked, decider
from llmflow.testing.environment import Environment, environment, server
from llmflow.testing.history import activities_of, assert_replays
from llmflow.testing.provider import ScriptedProvider
from llmflow.types.approvals import Decide

__all__ = [
    "Decide",
    "Environment",
    "ScriptedProvider",
    "activities_of",
    "approve_when_asked",
    "assert_replays",
    "decider",
    "environment",
    "server",
]
