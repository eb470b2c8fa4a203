"""The verbs of workflow code. Everything here is deterministic; the work is done by activities."""

from llmflow.flow.approvals import Decision, approval
from llmflow.flow.checkpoints import checkpoint
from llmflow.flow.completions import Completion, complete
from llmflow.flow.fan_out import FanOut, Outcome, fan_out, map_reduce
from llmflow.flow.prompts import render
from llmflow.flow.race import race
from llmflow.flow.sagas import Saga
from llmflow.flow.steps import Step, step
from llmflow.flow.tools import call_tool
from llmflow.types.calls import CallOptions
from llmflow.types.messages import File, Image, Message, Text, ToolCall, ToolResult
from llmflow.types.models import ModelOptions

__all__ = [
    "CallOptions",
    "Completion",
    "Decision",
    "FanOut",
    "File",
    "Image",
    "Message",
    "ModelOptions",
    "Outcome",
    "Saga",
    "Step",
    "Text",
    "ToolCall",
    "ToolResult",
    "approval",
    "call_tool",
    "checkpoint",
    "complete",
    "fan_out",
    "map_reduce",
    "race",
    "render",
    "step",
]
