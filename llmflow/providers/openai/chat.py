"""Requests and answers of Chat Completions, whose format many servers and libraries share."""

from typing import Annotated, cast

from pydantic import AliasChoices, AliasPath, BaseModel, BeforeValidator, Field, JsonValue

from llmflow.providers.dialects.complaints import Complaint, first_error
from llmflow.providers.dialects.endings import ending
from llmflow.providers.dialects.failures import FILTERED
from llmflow.providers.dialects.lenient import Arguments, Contents, Objects, Word, Written, call_id
from llmflow.providers.dialects.usage.reader import Tiers, asked_tier, read_usage
from llmflow.providers.dialects.usage.tools import said_run
from llmflow.providers.openai.body import Json, finish, given, schema_name
from llmflow.providers.openai.chat_dialects import ChatDialect
from llmflow.providers.openai.chat_messages import ChatMessages
from llmflow.providers.openai.chat_opaque import THINKING, Signed, Thoughts
from llmflow.providers.openai.strict_schema import WireSchema, wire_schema
from llmflow.types.messages import Opaque, ToolCall, continued, prefix_of
from llmflow.types.models import FinishReason, ModelRequest, ModelResponse, OutputSchema
from llmflow.types.tools import ToolSpec


def chat_schema(request: ModelRequest) -> WireSchema | None:
    """Convert the answer's schema to its wire form."""
    return wire_schema(request.output.json_schema) if request.output else None


def chat_body(request: ModelRequest, model: str, schema: WireSchema | None, dialect: ChatDialect) -> Json:
    """Make the request body.

    Args:
        request: The request.
        model: `provider:model`, for the error.
        schema: Schema of the answer.
        dialect: Dialect of the server.

    Raises:
        RequestUnsupported: the server cannot be told a part of the request.
    """
    options = request.options
    body: Json = {
        "model": request.model,
        "messages": ChatMessages(model, dialect).convert(request.messages),
        "response_format": _format(request.output, schema),
        "tools": [*map(_tool, request.tools), *(options.hosted_tools or ())],
        "tool_choice": _tool_choice(options.tool_choice),
        dialect.limit: options.max_output_tokens,
        "reasoning_effort": options.reasoning_effort,
        "verbosity": options.verbosity,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "service_tier": options.service_tier,
        "stream": options.stream,
        "stream_options": {"include_usage": True} if options.stream else None,  # else the cost is unknown
    }
    return finish(body, request)


def _format(output: OutputSchema | None, schema: WireSchema | None) -> Json | None:
    if output is None or schema is None:
        return None
    form = {"name": schema_name(output), "schema": schema.schema, "strict": schema.strict}
    return {"type": "json_schema", "json_schema": form}


def _tool(tool: ToolSpec) -> Json:
    parameters = wire_schema(tool.json_schema)
    function = given(
        name=tool.name,
        description=tool.description,
        parameters=parameters.schema,
        strict=parameters.strict or None,  # servers that do not know the field must not get a `false`
    )
    return {"type": "function", "function": function}


def _tool_choice(choice: str | None) -> object:
    return (
        choice if choice in {None, "auto", "none", "required"} else {"type": "function", "function": {"name": choice}}
    )


class _Function(BaseModel):
    name: str
    arguments: Arguments = "{}"


class _ChatCall(Signed):
    id: Word = None
    function: _Function


class _Part(BaseModel, extra="allow"):
    type: Word = None
    text: Written = None


_TEXTS = frozenset({None, "text", "output_text"})


class Spoken(Thoughts):
    """Text of a model, or a piece of it."""

    content: Contents[_Part] = ()
    """Text, or parts from servers that separate the reasoning (Mistral)."""

    @property
    def thinking(self) -> list[JsonValue]:
        """The parts with the reasoning."""
        return [cast(JsonValue, part.model_dump(exclude_unset=True)) for part in self.content if part.type == THINKING]

    @property
    def kept(self) -> dict[str, JsonValue]:
        """See base class. Of the content, the reasoning: the text is in the message anyway."""
        return {**super().kept, **({"content": self.thinking} if self.thinking else {})}

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts without the reasoning."""
        return tuple(part.text for part in self.content if part.text and part.type in _TEXTS)

    @property
    def text(self) -> str:
        """The text without the reasoning."""
        return "".join(self.texts)


class _Said(Spoken):
    refusal: Written = Field(
        default=None, validation_alias=AliasChoices("refusal", AliasPath("provider_specific_fields", "refusal"))
    )
    """Some releases of litellm move it to another field."""
    tool_calls: Objects[_ChatCall] = ()
    annotations: object = None
    executed_tools: object = None
    provider_specific_fields: object = None
    """Signs of tools that the vendor ran: of OpenAI, of Groq, of litellm."""

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(
            ToolCall(id=call_id(call.id, at), name=call.function.name, arguments=call.function.arguments)
            for at, call in enumerate(self.tool_calls)
        )

    def opaque(self, vendor: str) -> tuple[Opaque, ...]:
        """Return what the vendor wants back with the calls; a turn without calls needs nothing."""
        turn = [(None, self.kept)] if self.tool_calls else []
        signed = [(call_id(call.id, at), call.kept) for at, call in enumerate(self.tool_calls)]
        return tuple(Opaque(vendor=vendor, call=id, content=kept) for id, kept in (*turn, *signed) if kept)


class _Choice(BaseModel):
    message: Annotated[_Said, BeforeValidator(lambda said: said or {})] = _Said()
    """`null` says nothing, as an empty message does."""
    finish_reason: Word = None
    error: object = None

    @property
    def refusal(self) -> str | None:
        """Reason for a refusal, which is billed; `None` for an answer."""
        return self.message.refusal or (FILTERED if ending(self.finish_reason) == "refused" else None)

    @property
    def reason(self) -> FinishReason:
        if self.refusal:
            return "refused"
        ended = ending(self.finish_reason)
        if ended in {"length", "unknown"}:
            return ended
        return "tool_calls" if self.message.tool_calls else "stop"


class ChatAnswer(BaseModel):
    """The used fields of an answer."""

    choices: tuple[_Choice, ...] = Field(min_length=1)
    id: Word = None
    model: Word = None
    error: object = None
    service_tier: Word = None
    usage: object = None

    def complaint(self) -> Complaint | None:
        """Return the error that a gateway put into an answer with status 200; `None` for an answer."""
        error = first_error(self.error, self.choices[0].error)
        return Complaint.read(error) if error else None

    def response(
        self,
        request: ModelRequest,
        schema: WireSchema | None,
        base_url: str | None,
        first_token: float | None,
        vendor: str,
    ) -> ModelResponse:
        """Convert an answer without a complaint.

        Args:
            request: The request.
            schema: Schema of the answer.
            base_url: Base URL of the server.
            first_token: Seconds to the first token of a streamed answer.
            vendor: `ModelRef.vendor` of the model.
        """
        choice = self.choices[0]
        model = self.model or request.model
        tiers = Tiers(asked=asked_tier(request.options), answered=self.service_tier)
        billed = read_usage(self.usage, said_run(dict(choice.message), model), tiers, model=model, base_url=base_url)
        has_calls = choice.reason not in {"refused", "unknown"}
        texts = choice.message.texts
        if (prefix := prefix_of(request.messages)) and not (has_calls and choice.message.calls):
            texts = (continued(prefix, choice.message.text),)
        return ModelResponse(
            **dict(billed),
            text=choice.refusal or (schema.read(texts) if schema else "".join(texts)),
            finish_reason=choice.reason,
            ending=choice.finish_reason if choice.reason == "unknown" else None,
            tool_calls=choice.message.calls if has_calls else (),
            opaque=choice.message.opaque(vendor) if has_calls else (),
            response_id=self.id,
            first_token=first_token,
        )
