"""OpenAI's Responses API, for OpenAI and servers that implement it."""

import re
from collections.abc import Mapping
from time import monotonic
from typing import Annotated, cast

from pydantic import BaseModel, BeforeValidator, Discriminator, JsonValue, Tag

from llmflow.errors import RequestRejected
from llmflow.providers.dialects.complaints import Complaint, first_error
from llmflow.providers.dialects.endings import ending
from llmflow.providers.dialects.failures import FILTERED, UNFINISHED, judge
from llmflow.providers.dialects.lenient import Arguments, Contents, Word, Written, call_id
from llmflow.providers.dialects.usage.reader import Tiers, asked_tier, read_usage
from llmflow.providers.dialects.usage.tools import items_run
from llmflow.providers.openai.body import Json, finish, given, schema_name
from llmflow.providers.openai.endpoint import Endpoint
from llmflow.providers.openai.response_events import Events
from llmflow.providers.openai.response_input import ResponseInput
from llmflow.providers.openai.strict_schema import WireSchema, wire_schema
from llmflow.types.base import changed
from llmflow.types.messages import Opaque, ToolCall
from llmflow.types.models import FinishReason, ModelRequest, ModelResponse, OutputSchema
from llmflow.types.providers import DeltaSink, ProviderSettings
from llmflow.types.refs import ModelRef
from llmflow.types.tools import ToolSpec


class ResponsesProvider:
    """Asks with `store: false` and the whole conversation in the request, so that the vendor keeps nothing."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._endpoint = Endpoint(settings)
        self._refusing: set[str] = set()
        """Models that have refused encrypted thoughts, such as some deployments of Azure."""

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        """See `Provider.complete`. Where encrypted thoughts are refused, the request is made again without them."""
        thinks = request.model not in self._refusing and not _WITHOUT_THOUGHTS.search(request.model)
        began = monotonic()
        try:
            return await self._ask(request, sink, thinks=thinks)
        except RequestRejected as error:
            if not thinks or not _REFUSED_THOUGHTS.search(error.message):
                raise
            if not _UNVERIFIED.search(error.message):
                self._refusing.add(request.model)
        left = changed(request, timeout=max(request.timeout - (monotonic() - began), 1.0))
        return await self._ask(left, sink, thinks=False)

    async def _ask(self, request: ModelRequest, sink: DeltaSink, *, thinks: bool) -> ModelResponse:
        model = ModelRef(self._endpoint.name, request.model)
        schema = wire_schema(request.output.json_schema) if request.output else None
        body = _body(request, schema, ResponseInput(str(model), self._endpoint.base_url), thinks=thinks)
        joined = Events(sink)
        answer = await self._endpoint.post("/responses", body, ResponsesAnswer, request.timeout, joined)
        if complaint := answer.complaint():
            failure = judge(complaint, str(model), self._endpoint.secrets)
            raise self._endpoint.billed(failure, {**dict(answer), "output": [dict(item) for item in answer.output]})
        return answer.response(request, schema, self._endpoint.base_url, joined.first_token, model.vendor)

    async def close(self) -> None:
        """See `Provider.close`."""
        await self._endpoint.close()


_THOUGHTS = ("reasoning.encrypted_content",)
"""The vendor keeps nothing, so a tool loop has to send its thoughts back."""
_WITHOUT_THOUGHTS = re.compile(r"(^|[^a-z])(gpt-?[34]|chatgpt)")
"""OpenAI's models that do not think, under their names or a deployment's. They refuse thoughts, asked for or sent."""
_REFUSED_THOUGHTS = re.compile(r"encrypted[ _]content", re.I)
"""`Encrypted content is not supported with this model.`, or the one below."""
_UNVERIFIED = re.compile(r"could not be (verified|decrypted|parsed)|invalid_encrypted_content", re.I)
"""Thoughts of another deployment or organization, which this one cannot read. It has its own."""


def _body(request: ModelRequest, schema: WireSchema | None, said: ResponseInput, *, thinks: bool) -> Json:
    options = request.options
    tools = [*map(_tool, request.tools), *(options.hosted_tools or ())]
    body: Json = {
        "model": request.model,
        "input": [item for item in said.convert(request.messages) if thinks or not _is_thought(item)],
        "store": False,
        "include": _THOUGHTS if tools and thinks else None,
        "stream": options.stream,
        "text": given(format=_format(request.output, schema), verbosity=options.verbosity),
        "reasoning": given(effort=options.reasoning_effort),
        "tools": tools,
        "tool_choice": _tool_choice(options.tool_choice),
        "max_output_tokens": options.max_output_tokens,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "service_tier": options.service_tier,
    }
    return finish(body, request)


def _format(output: OutputSchema | None, schema: WireSchema | None) -> Json | None:
    if output is None or schema is None:
        return None
    return {"type": "json_schema", "name": schema_name(output), "schema": schema.schema, "strict": schema.strict}


def _tool(tool: ToolSpec) -> Json:
    parameters = wire_schema(tool.json_schema)
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": parameters.schema,
        "strict": parameters.strict,
    }


def _tool_choice(choice: str | None) -> object:
    return choice if choice in {None, "auto", "none", "required"} else {"type": "function", "name": choice}


def _is_thought(item: Json) -> bool:
    return item.get("type") == "reasoning"


class _OutputPart(BaseModel):
    type: Word = None
    text: Written = None
    refusal: Written = None


class _OutputMessage(BaseModel):
    content: Contents[_OutputPart] = ()
    phase: Written = None


class _FunctionCall(BaseModel):
    call_id: Word = None
    name: str
    arguments: Arguments = "{}"


class _Other(BaseModel, extra="allow"):
    """Reasoning, and items of tools that the vendor runs."""

    type: object = None
    status: object = None
    action: object = None

    @property
    def kept(self) -> dict[str, JsonValue] | None:
        """The item, to be sent back; `None` for thoughts without content, of which the vendor knows nothing more."""
        item = cast(dict[str, JsonValue], self.model_dump(exclude_unset=True))
        empty = item.get("type") == "reasoning" and not (item.get("encrypted_content") or item.get("content"))
        return None if empty else item


def _kind(item: object) -> str:
    kind = cast(Json, item).get("type") if isinstance(item, dict) else None
    return str(kind) if kind in {"message", "function_call"} else "other"


_Item = Annotated[
    Annotated[_OutputMessage, Tag("message")]
    | Annotated[_FunctionCall, Tag("function_call")]
    | Annotated[_Other, Tag("other")],
    Discriminator(_kind),
]


class _Incomplete(BaseModel):
    reason: Word = None


def _incomplete(said: object) -> object:
    return {"reason": said} if isinstance(said, str) else cast(object, said) if isinstance(said, Mapping) else {}


def _items(said: object) -> object:
    return [item for item in cast(list[object], said) if item is not None] if isinstance(said, list) else said


_TEXTS = frozenset({None, "output_text", "text"})
_DONE = frozenset({None, "completed", "incomplete"})
_UNDONE = frozenset({"queued", "in_progress", "failed", "cancelled"})
"""Words of the API. Any other word comes from a server of its own, and its output says more."""


class ResponsesAnswer(BaseModel):
    """The used fields of an answer; the SDK's class decodes twenty times as many."""

    output: Annotated[tuple[_Item, ...], BeforeValidator(_items)]
    id: Word = None
    model: Word = None
    status: Word = None
    error: object = None
    incomplete_details: Annotated[_Incomplete, BeforeValidator(_incomplete)] = _Incomplete()
    service_tier: Word = None
    tools: object = None
    """Tools of the request, repeated."""
    usage: object = None

    @property
    def _said(self) -> list[_OutputMessage]:
        said = [item for item in self.output if isinstance(item, _OutputMessage)]
        return [item for item in said if item.phase != "commentary"] or said  # without progress texts of the model

    @property
    def _parts(self) -> tuple[_OutputPart, ...]:
        return tuple(part for item in self._said for part in item.content)

    @property
    def _calls(self) -> list[_FunctionCall]:
        return [item for item in self.output if isinstance(item, _FunctionCall)]

    @property
    def texts(self) -> tuple[str, ...]:
        """Texts of the answer: models write it in one message, in several, or twice."""
        return tuple(part.text for part in self._parts if part.text and part.type in _TEXTS)

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Calls of tools that the caller runs."""
        return tuple(
            ToolCall(id=call_id(call.call_id, at), name=call.name, arguments=call.arguments)
            for at, call in enumerate(self._calls)
        )

    def opaque(self, vendor: str) -> tuple[Opaque, ...]:
        """Return the phase of the text, and the items that the vendor wants back with the calls.

        Each item is for the call or the text that it precedes. A turn without calls needs none.
        """
        phase = next((item.phase for item in self._said if item.phase), None)
        phases = (Opaque(vendor=vendor, content={"phase": phase}),) if phase else ()
        return *self._kept(vendor), *phases

    def _kept(self, vendor: str) -> tuple[Opaque, ...]:
        names = {id(item): call.id for item, call in zip(self._calls, self.tool_calls, strict=True)}
        found: list[Opaque] = []
        follows: str | None = None
        for item in reversed(self.output) if names else ():
            if isinstance(item, _Other):
                if item.kept:
                    found.append(Opaque(vendor=vendor, call=follows, content=item.kept))
            else:
                follows = names.get(id(item))
        return tuple(reversed(found))

    @property
    def refusal(self) -> str | None:
        """Reason for a refusal, which is billed; `None` for an answer."""
        filtered = FILTERED if self.status == "incomplete" and ending(self.ending) == "refused" else None
        return next((part.refusal for part in self._parts if part.refusal), filtered)

    @property
    def ending(self) -> str:
        """The vendor's word for the end of an incomplete answer."""
        return self.incomplete_details.reason or "length"

    @property
    def finish_reason(self) -> FinishReason:
        """Reason why the answer ended."""
        if self.refusal:
            return "refused"
        if self.status == "incomplete":
            return "length" if ending(self.ending) == "length" else "unknown"
        return "tool_calls" if self.tool_calls else "stop"

    def complaint(self) -> Complaint | None:
        """Return the error inside an answer with status 200; `None` for an answer."""
        if error := first_error(self.error):
            return Complaint.read(error)
        if self.status in _UNDONE or (self.status not in _DONE and not self.output):
            said = f"its status is `{self.status}`; answers that come later (`background`) are not supported"
            return Complaint(said, code=UNFINISHED)
        return None

    def response(
        self,
        request: ModelRequest,
        schema: WireSchema | None,
        base_url: str | None,
        first_token: float | None,
        vendor: str,
    ) -> ModelResponse:
        """Convert an answer without a complaint; see `ChatAnswer.response`."""
        run = items_run((dict(item) for item in self.output if isinstance(item, _Other)), self.tools)
        tiers = Tiers(asked=asked_tier(request.options), answered=self.service_tier)
        has_calls = self.finish_reason not in {"refused", "unknown"}
        billed = read_usage(self.usage, run, tiers, model=self.model or request.model, base_url=base_url)
        return ModelResponse(
            **dict(billed),
            text=self.refusal or (schema.read(self.texts) if schema else "".join(self.texts)),
            finish_reason=self.finish_reason,
            ending=self.ending if self.finish_reason == "unknown" else None,
            tool_calls=self.tool_calls if has_calls else (),
            opaque=self.opaque(vendor),
            response_id=self.id,
            first_token=first_token,
        )
