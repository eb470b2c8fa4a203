"""The verbs of workflow code. They are deterministic; activities do the work."""

from llmflow.flow import agents, machine, patterns
from llmflow.flow.agents.agent import Agent
from llmflow.flow.agents.loop import AgentResult, run_agent
from llmflow.flow.approvals.approval import Decision, approval
from llmflow.flow.branches.fan_out import FanOut, Outcome, fan_out
from llmflow.flow.branches.map_reduce import map_reduce
from llmflow.flow.branches.race import race
from llmflow.flow.checkpoints import checkpoint
from llmflow.flow.completions.complete import Completion, complete
from llmflow.flow.config import config
from llmflow.flow.conversations.conversation import Conversation, conversation
from llmflow.flow.prompts import render
from llmflow.flow.sagas import Saga
from llmflow.flow.scores import score
from llmflow.flow.steps import Step, step
from llmflow.flow.tools import call_tool
from llmflow.types.calls import CallOptions
from llmflow.types.messages import Audio, File, Image, Message, Text, ToolCall, ToolResult
from llmflow.types.models import ModelOptions
from llmflow.types.prompts import Prompt

__all__ = [
    "Agent",
    "AgentResult",
    "Audio",
    "CallOptions",
    "Completion",
    "Conversation",
    "Decision",
    "FanOut",
    "File",
    "Image",
    "Message",
    "ModelOptions",
    "Outcome",
    "Prompt",
    "Saga",
    "Step",
    "Text",
    "ToolCall",
    "ToolResult",
    "agents",
    "approval",
    "call_tool",
    "checkpoint",
    "complete",
    "config",
    "conversation",
    "fan_out",
    "machine",
    "map_reduce",
    "patterns",
    "race",
    "render",
    "run_agent",
    "score",
    "step",
]
