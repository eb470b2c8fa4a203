"""One completion: what the workflow asks, and what the activity answers."""

from pydantic import JsonValue

from llmflow.types.base import CompactWire
from llmflow.types.messages import Message, ToolCall
from llmflow.types.models import FinishReason, ModelOptions, OutputSchema
from llmflow.types.origins import Origin
from llmflow.types.prompts import PromptSource
from llmflow.types.refs import PromptRef
from llmflow.types.usage import Cost, Usage


class CompletionRequest(CompactWire):
    """A pinned prompt, its variables, one model. The rendered text is never in here, so never in history."""

    prompt: PromptRef
    model: str
    """`provider:model`."""
    variables: dict[str, JsonValue] = {}
    """A value for each variable of the prompt, by name."""
    messages: tuple[Message, ...] = ()
    """Follow the rendered prompt: images, tool results, the answer that is being re-asked."""
    output: OutputSchema | None = None
    tools: tuple[str, ...] = ()
    """Names of tools that the worker serves; the model may ask for them."""
    options: ModelOptions = ModelOptions()
    repair: int = 0
    """How many answers before this one did not fit the output type."""
    origin: Origin = Origin()
    """Of the run; for the records, no part of what is asked."""
    source: PromptSource = PromptSource()
    """How the run came to this version of the prompt; for the records as well."""


class CompletionResult(CompactWire):
    """One paid answer, with its frozen cost."""

    text: str
    model: str
    """`provider:model` that answered."""
    usage: Usage
    cost: Cost
    finish_reason: FinishReason = "stop"
    tool_calls: tuple[ToolCall, ...] = ()
    response_id: str | None = None
    misfit: str | None = None
    """How the answer does not fit the schema by which the activity judged it; empty if it does, `None` if none did."""
    taken: bool = False
    """Whether a forked run took it over, so that nobody paid for it again."""
