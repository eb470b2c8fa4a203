"""What is asked of a model, and what it answers: the seam between activities and providers."""

from typing import Literal

from pydantic import Field, JsonValue

from llmflow.types.base import CompactWire, Handwritten, Wire, given
from llmflow.types.messages import Message, ToolCall
from llmflow.types.refs import ModelRef
from llmflow.types.tools import ToolSpec
from llmflow.types.usage import Dollars, Tokens, Usage

__all__ = ["FinishReason", "ModelRequest", "ModelResponse", "OutputSchema"]

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
FinishReason = Literal["stop", "length", "tool_calls", "refused"]
"""Why an answer ended. `refused`: by the model or by the vendor's filter; it is billed like any other."""


class ModelOptions(CompactWire, Handwritten):
    """How a model should answer. What is left out is the vendor's default."""

    temperature: float | None = None
    """From 0, the likeliest words, to 2 with most vendors. Reasoning models refuse it."""
    top_p: float | None = None
    """Share of the likelihood that words are chosen from, 0 to 1."""
    max_output_tokens: int | None = Field(default=None, gt=0)
    """Tokens after which the answer is cut off, reasoning included."""
    reasoning_effort: Effort | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    service_tier: str | None = None
    stream: bool | None = None
    """Read the answer while it is written: the ledger then has the time to the first token. litellm never does."""
    tool_choice: str | None = None
    """`auto`, `none`, `required`, or the name of the one tool to call."""
    extra: dict[str, JsonValue] | None = None
    """Fields of the vendor's own request, passed through as they are; they win over everything above."""

    def over(self, base: "ModelOptions") -> "ModelOptions":
        """These options, with what they leave out taken from `base`."""
        extra = {**(base.extra or {}), **(self.extra or {})} or None
        return base.model_copy(update={**given(self), "extra": extra})


class Candidate(CompactWire):
    """One model that an alias may mean, such as `openai:gpt-5.4`, with its options."""

    model: str
    """`provider:model`."""
    options: ModelOptions = ModelOptions()
    up_to: int | None = None
    """Tokens of input that it is meant for; longer calls ask the next candidate. `None`: of any length."""

    @property
    def provider(self) -> str:
        """The part before the colon: a provider of models.yaml."""
        return ModelRef.parse(self.model).provider

    @property
    def vendor_model(self) -> str:
        """The part after the colon: the vendor's own id."""
        return ModelRef.parse(self.model).model


class OutputSchema(CompactWire):
    """The type that the answer must have."""

    name: str
    json_schema: dict[str, JsonValue]
    """As pydantic writes it; providers make of it what their vendor accepts."""
    judged: bool = False
    """The activity judges the answer by the schema, because the workflow has no type that would."""


class ModelRequest(Wire):
    """One call of one model. Providers get this and nothing else."""

    model: str
    """The vendor's own id, without the provider."""
    messages: tuple[Message, ...]
    output: OutputSchema | None = None
    tools: tuple[ToolSpec, ...] = ()
    options: ModelOptions = ModelOptions()
    timeout: float = 600.0
    """Seconds after which the call is given up. Always shorter than the activity's own limit, so that no second
    attempt starts while the first is still billed."""
    tenant: str | None = None
    """Whose call it is. For limits of our own; vendors do not see it."""


class ModelResponse(Wire):
    """One answer of one model."""

    text: str
    """The answer; JSON text where the request had an `output`; the reason where it was refused."""
    model: str
    """The model that answered, in the vendor's words; often more exact than the one asked."""
    usage: Usage = Usage()
    finish_reason: FinishReason = "stop"
    tool_calls: tuple[ToolCall, ...] = ()
    response_id: str | None = None
    service_tier: str | None = None
    reported_usd: Dollars | None = None
    """What the vendor itself says that the call cost; it wins over every price list."""
    base_url: str | None = None
    """Where the answer came from; price lists know vendors by it."""
    first_token: float | None = None
    """Seconds from the request to the first token, of an answer that was streamed."""
    cache_write_1h_tokens: Tokens = 0
    """Part of `usage.cache_write_tokens` that stays in the vendor's cache for an hour: Anthropic takes more for it."""
