"""The verbs of workflow code. Everything here is deterministic; the work is done by activities."""

from llmflow.flow.completions import Completion, complete
from llmflow.flow.prompts import render
from llmflow.flow.steps import Step, step
from llmflow.flow.tools import call_tool
from llmflow.types.calls import CallOptions
from llmflow.types.messages import File, Image, Message, Text, ToolCall, ToolResult
from llmflow.types.models import ModelOptions

__all__ = [
    "CallOptions",
    "Completion",
    "File",
    "Image",
    "Message",
    "ModelOptions",
    "Step",
    "Text",
    "ToolCall",
    "ToolResult",
    "call_tool",
    "complete",
    "render",
    "step",
]
