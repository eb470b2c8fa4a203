"""Agents in workflow code: a loop of completions and tool calls over one conversation."""

from llmflow.flow.agents.agent import Handoff
from llmflow.flow.agents.offers import Offer, approved, limited, only, prefixed, renamed

__all__ = ["Handoff", "Offer", "approved", "limited", "only", "prefixed", "renamed"]
