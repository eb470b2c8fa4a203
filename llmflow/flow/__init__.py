"""The verbs of workflow code. They are deterministic; activities do the work."""

from llmflow.flow import machine, patterns
from llmflow.flow.approvals.approval import Decision, approval
from llmflow.flow.branches.fan_out import FanOut, Outcome, fan_out
from llmflow.flow.branches.map_reduce import map_reduce
from llmflow.flow.branches.race import race
from llmflow.flow.checkpoints import checkpoint
from llmflow.flow.completions.complete import Completion, complete
from llmflow.flow.config import config
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
    "Audio",
    "CallOptions",
    "Completion",
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
    "approval",
    "call_tool",
    "checkpoint",
    "complete",
    "config",
    "fan_out",
    "machine",
    "map_reduce",
    "patterns",
    "race",
    "render",
    "score",
    "step",
]
