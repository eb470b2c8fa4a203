"""Agents in workflow code: a loop of completions and tool calls over one conversation."""

from llmflow.flow.agents.agent import Handoff
from llmflow.flow.agents.delegation import agent_tool, workflow_tool
from llmflow.flow.agents.offers import Offer, approved, limited, only, prefixed, renamed

__all__ = [
    "Handoff",
    "Offer",
    "agent_tool",
    "approved",
    "limited",
    "only",
    "prefixed",
    "renamed",
    "workflow_tool",
]
