"""Input and output of the completion activity."""

from pydantic import JsonValue

from llmflow.types.base import CompactWire
from llmflow.types.conversations import Head, Thread
from llmflow.types.messages import Message, Opaque, ToolCall, turn_of
from llmflow.types.models import AnswerMode, FinishReason, ModelOptions, OutputSchema
from llmflow.types.origins import Origin
from llmflow.types.prompts import PromptSource
from llmflow.types.refs import PromptRef
from llmflow.types.usage import Cost, Usage


class CompletionRequest(CompactWire):
    """A pinned prompt, its variables and a model. The activity renders the text, so history never holds it."""

    prompt: PromptRef
    model: str
    """`provider:model`."""
    variables: dict[str, JsonValue] = {}
    """A value for each variable of the prompt, by name."""
    messages: tuple[Message, ...] = ()
    """Messages after the rendered prompt: images, tool results, the answer that is being re-asked."""
    output: OutputSchema | None = None
    tools: tuple[str, ...] = ()
    """Names of tools that the worker serves; the model may ask for them."""
    options: ModelOptions = ModelOptions()
    repair: int = 0
    """Number of earlier answers that did not fit the output type."""
    origin: Origin = Origin()
    """Origin of the run: recorded in the ledger, not sent to the model."""
    source: PromptSource = PromptSource()
    """Selection of the prompt version: recorded in the ledger, not sent to the model."""
    thread: Thread | None = None
    """The conversation that the call continues. Its entries then have the variables, messages, tools and output."""


class CompletionResult(CompactWire):
    """One paid answer with its cost."""

    text: str
    model: str
    """`provider:model` that answered."""
    usage: Usage
    cost: Cost
    finish_reason: FinishReason = "stop"
    ending: str | None = None
    """The vendor's own word for the end, if `finish_reason` is `unknown`."""
    tool_calls: tuple[ToolCall, ...] = ()
    opaque: tuple[Opaque, ...] = ()
    """Fields that the vendor wants back beside text and tool calls."""
    response_id: str | None = None
    misfit: str | None = None
    """Mismatch between answer and schema, found by the activity; empty if it fits, `None` if nothing was checked."""
    mode: AnswerMode | None = None
    """Way in which the typed answer was asked for; `None` for text."""
    shape: str | None = None
    """Hash of the shape of the type that the model was asked for; `None` for text, and for data without a type."""
    fits: bool = True
    """False if the answer does not have that shape, or is a text that was cut off."""
    taken: bool = False
    """True if a forked run reused this answer without paying for it again."""
    local: tuple[str, ...] = ()
    """Tools that were offered first with this call, and that the agent calls as local activities."""
    head: Head | None = None
    """End of the conversation after this answer; `None` without a conversation."""

    @property
    def message(self) -> Message:
        """The whole turn of the model."""
        return turn_of(self.text, self.tool_calls, self.opaque)
