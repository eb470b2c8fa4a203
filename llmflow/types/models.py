"""Requests to models and their responses: the interface between activities and providers."""

from typing import Literal

from pydantic import Field, JsonValue

from llmflow.types.base import CompactWire, Handwritten, Wire, changed, given
from llmflow.types.messages import Message, Opaque, ToolCall
from llmflow.types.refs import ModelRef
from llmflow.types.tools import ToolSpec
from llmflow.types.usage import Dollars, Usage

__all__ = ["FinishReason", "ModelRequest", "ModelResponse", "OutputSchema"]

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
FinishReason = Literal["stop", "length", "tool_calls", "refused", "unknown"]
"""Reason why an answer ended. `refused`: by the model or the vendor's filter; it is billed like any other. `unknown`:
for a reason that llmflow does not know, such as an overload in the middle of it, so it is no answer."""


AnswerMode = Literal["json_schema", "tool", "json_object", "prompted"]
"""Ways to ask for a typed answer: the vendor's strict schema; a tool whose arguments are the answer; the vendor's JSON
mode, with the schema in the prompt; the schema in the prompt alone."""


class ModelOptions(CompactWire, Handwritten):
    """Options of a model call. An option left out has the vendor's default."""

    temperature: float | None = None
    """From 0 (the likeliest words) to 2 with most vendors. Reasoning models refuse it."""
    top_p: float | None = None
    """Share of the probability mass that words are sampled from, 0 to 1."""
    max_output_tokens: int | None = Field(default=None, gt=0)
    """Upper limit of output tokens, reasoning included; a longer answer is cut off."""
    reasoning_effort: Effort | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    service_tier: str | None = None
    stream: bool | None = None
    """Stream the answer, so that the ledger records the time to the first token. Ignored by `litellm`."""
    tool_choice: str | None = None
    """`auto`, `none`, `required`, or the name of the one tool to call."""
    hosted_tools: tuple[dict[str, JsonValue], ...] | None = None
    """Tools that the vendor runs, in its own format, such as `{"type": "web_search"}`; offered beside yours."""
    answer_mode: AnswerMode | None = None
    """Way to ask for a typed answer. By default, in the first mode that the model does not refuse."""
    extra: dict[str, JsonValue] | None = None
    """Fields of the vendor's own request, passed through unchanged; they win over all options above."""

    def over(self, base: "ModelOptions") -> "ModelOptions":
        """Return these options, completed by those of `base`."""
        extra = {**(base.extra or {}), **(self.extra or {})} or None
        return changed(base, **{**given(self), "extra": extra})


class Candidate(CompactWire):
    """One of the models behind an alias, such as `openai:gpt-5.4`, with its options."""

    model: str
    """`provider:model`."""
    options: ModelOptions = ModelOptions()
    up_to: int | None = None
    """Upper limit of input tokens; longer calls use the next candidate. `None`: no limit."""

    @property
    def provider(self) -> str:
        """The part before the colon: a provider of models.yaml."""
        return ModelRef.parse(self.model).provider

    @property
    def vendor_model(self) -> str:
        """The part after the colon: the vendor's own id."""
        return ModelRef.parse(self.model).model


class OutputSchema(CompactWire):
    """The schema that the answer must fit."""

    name: str
    json_schema: dict[str, JsonValue]
    """Schema as pydantic writes it; providers convert it to their vendor's dialect."""
    judged: bool = False
    """True if the activity validates the answer, because the workflow has a schema but no type."""


class ModelRequest(Wire):
    """One call of one model: all that a provider receives."""

    model: str
    """The vendor's own id, without the provider."""
    messages: tuple[Message, ...]
    output: OutputSchema | None = None
    tools: tuple[ToolSpec, ...] = ()
    options: ModelOptions = ModelOptions()
    timeout: float = 600.0
    """Seconds until the call times out. Always shorter than the activity's `start_to_close_timeout`, so that no second
    attempt starts while the first is still billed."""
    tenant: str | None = None
    """Tenant of the call, for llmflow's own limits; vendors do not see it."""


class Billed(Wire):
    """The part of an answer that its price depends on. An error of a vendor may have it as well."""

    model: str
    """The model that answered, as the vendor names it; often more specific than the requested one."""
    usage: Usage = Usage()
    service_tier: str | None = None
    reported_usd: Dollars | None = None
    """Cost reported by the vendor; it wins over every price list."""
    base_url: str | None = None
    """Base URL of the API that answered; price lists identify vendors by it."""
    region: str | None = None
    """Region of the inference, where the vendor says it and it is not the whole world; some charge more there."""


class ModelResponse(Billed):
    """One answer of one model."""

    text: str
    """The answer; JSON text if the request had an `output`; the reason if the model refused."""
    finish_reason: FinishReason = "stop"
    ending: str | None = None
    """The vendor's own word for the end, if `finish_reason` is `unknown`."""
    tool_calls: tuple[ToolCall, ...] = ()
    mode: AnswerMode | None = None
    """Way in which the typed answer was asked for; `None` for text."""
    opaque: tuple[Opaque, ...] = ()
    """Fields that the vendor wants back beside text and tool calls."""
    response_id: str | None = None
    first_token: float | None = None
    """Seconds from the request to the first token of a streamed answer."""
