"""Upper bounds of what a request can be billed, for reservations in budgets.

Vendors keep their tokenizers to themselves, so a bound is a rule that holds for all of them:

    text          a token is at least one byte of UTF-8, of the text or of its normal form (NFKC, Claude 2's): English
                  and code then count about four times what they really take, Chinese up to six times
    images        16,384 tokens, the most of Qwen2-VL (its model card), or the model's own rule in `_IMAGES`
    audio         a token for each byte: vendors count at most 32 tokens a second (Gemini, "Audio understanding"), and
                  speech has at least 500 bytes a second; by address or id, as other files
    other files   any number of pages: as many tokens as the model's context window, or 2 million if it is unknown
    templates     1,024 tokens (Claude 3's own prompt for tools has 530), and 16 for each message, part and schema
    output        the limit that is sent, times `n`
    `extra`       fields that are known to cost nothing more; any other makes the bound unknown
"""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeGuard

from pydantic import JsonValue
from pydantic_core import to_json

from llmflow.providers.openai.strict_schema import wire_schema
from llmflow.types.base import changed
from llmflow.types.messages import Audio, File, Image, Message, Opaque, Part, Text, ToolCall, ToolResult
from llmflow.types.models import ModelRequest

DEFAULT_LIMIT = 4096
"""Output tokens of a call under a budget, if neither the call nor its prompt or model has a limit."""

_TEMPLATE = 1024
_FRAME = 16
_IMAGE = 16_384
_IMAGES = MappingProxyType({"gpt-4o-mini": 48_169})  # OpenAI, "Images and vision": 2,833 and eight tiles of 5,667
_WINDOW = 2**21

_CHAT = ("max_tokens", "max_completion_tokens")
_LIMITS = MappingProxyType({"responses": ("max_output_tokens",), "chat": _CHAT, "litellm": _CHAT})
"""Fields of an API's request that limit the output."""
_ANY_LIMIT = ("max_output_tokens", *_CHAT)
_FREE = frozenset(
    (
        *("temperature", "top_p", "top_k", "min_p", "seed", "random_seed", "stop", "stop_sequences", "logit_bias"),
        *("frequency_penalty", "presence_penalty", "repetition_penalty", "logprobs", "top_logprobs"),
        *("user", "safety_identifier", "metadata", "store", "include", "stream", "stream_options", "truncation"),
        *("response_format", "text", "verbosity", "tool_choice", "parallel_tool_calls", "instructions"),
        *("reasoning", "reasoning_effort", "reasoning_format", "include_reasoning", "thinking", "think"),
        *("enable_thinking", "chat_template_kwargs", "cache_control", "prompt_cache_key", "prompt_cache_retention"),
        *("guided_json", "guided_regex", "guided_choice", "guided_grammar", "structured_outputs"),
        *("safe_prompt", "safety_settings", "keep_alive", "service_tier"),
        *_ANY_LIMIT,
    )
)
"""Fields of `extra` that add nothing to a bill but the tokens of their own text."""


_OWN_TOOLS = ("-search-", "compound-")
"""Names of models that run the vendor's tools unasked: gpt-4o-search-preview, gpt-5-search-api, Groq's compound."""


@dataclass(frozen=True, kw_only=True)
class Bound:
    """The most that a request can be billed for."""

    input_tokens: int
    output_tokens: int
    tier: str | None
    """The requested service tier."""
    cached_for_an_hour: bool
    """True if the request may write to a cache that costs more than the usual one."""
    audio: bool = False
    """True if audio is in it, which has a price of its own."""
    unsized: bool = False
    """True if a file of unknown length is in it, so that it may fill the context window of the model."""
    unbounded: str | None = None
    """A part of the request that may cost any amount; the counts are only the rest."""


def limited(request: ModelRequest, api: str | None) -> ModelRequest:
    """Add an output limit to a request without one.

    Args:
        request: The request.
        api: Name of the provider's API, which decides the fields of `extra` that are limits; `None` if unknown.
    """
    options, fields = request.options, _LIMITS.get(api or "", _ANY_LIMIT)
    if options.max_output_tokens is not None or any(name in (options.extra or {}) for name in fields):
        return request
    return changed(request, options=changed(options, max_output_tokens=DEFAULT_LIMIT))


def bound_of(request: ModelRequest) -> Bound:
    """Compute the most that a request can be billed for."""
    extra = request.options.extra or {}
    parts = [*_all_parts(request.messages)]
    limits = [request.options.max_output_tokens, *(extra[name] for name in _ANY_LIMIT if name in extra)]
    counts = [limit for limit in limits if _is_count(limit)]
    answers = extra.get("n", 1)
    written = json.dumps(extra, ensure_ascii=False)
    tier = extra.get("service_tier", request.options.service_tier)
    return Bound(
        input_tokens=_input(request) + _bytes(written),
        output_tokens=max(counts, default=DEFAULT_LIMIT) * (answers if _is_count(answers) else 1),
        tier=str(tier) if tier else None,
        cached_for_an_hour='"1h"' in written or any(getattr(part, "cache", None) == "1h" for part in parts),
        audio=any(isinstance(part, Audio) for part in parts),
        unsized=any(map(_is_unsized, parts)),
        unbounded=next(_unbounded(request, extra), None if counts else "an answer without a limit"),
    )


def _all_parts(messages: Iterable[Message]) -> Iterator[Part]:
    for message in messages:
        for part in message.parts:
            yield part
            if isinstance(part, ToolResult):
                yield from part.parts


def _unbounded(request: ModelRequest, extra: Mapping[str, JsonValue]) -> Iterator[str]:
    if any(word in f"{request.model}-" for word in _OWN_TOOLS):
        yield "a search that the model makes unasked"
    for tool in request.options.hosted_tools or ():
        if not _is_function(tool):
            yield f"`{tool.get('type')}` of `hosted_tools`"
    for name, value in extra.items():
        if name in _ANY_LIMIT or name == "n":
            known = _is_count(value)
        elif name == "tools":
            known = isinstance(value, list) and all(isinstance(tool, dict) and _is_function(tool) for tool in value)
        else:
            known = name in _FREE
        if not known:
            yield f"`extra.{name}`"


def _is_count(value: JsonValue) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_function(tool: Mapping[str, JsonValue]) -> bool:
    """Return True for a tool of ours; the vendor's own may search or compute, at a price of its own."""
    return tool.get("type") == "function"


def _input(request: ModelRequest) -> int:
    schemas = [tool.json_schema for tool in request.tools] + ([request.output.json_schema] if request.output else [])
    names = "".join(f"{tool.name}{tool.description}" for tool in request.tools)
    return (
        _TEMPLATE
        + _bytes(names)
        + sum(_FRAME + _schema(schema) for schema in schemas)
        + sum(_FRAME + _message(message, request.model) for message in request.messages)
    )


def _schema(schema: Mapping[str, JsonValue]) -> int:
    """Return the bytes of a schema in its own form or in the one that is sent, whichever are more."""
    return max(len(to_json(schema)), len(to_json(wire_schema(schema).schema)))


def _message(message: Message, model: str) -> int:
    return sum(_FRAME + _part(part, model) for part in message.parts)


def _part(part: Part, model: str) -> int:
    match part:
        case Text():
            return _bytes(part.text)
        case ToolResult():
            return _bytes(part.id + part.text) + sum(_FRAME + _part(one, model) for one in part.parts)
        case ToolCall():
            return _bytes(part.id + part.name + part.arguments)
        case Opaque():
            return len(to_json(part.content))
        case Image():
            return next((most for name, most in _IMAGES.items() if name in model), _IMAGE)
        case Audio():
            return _WINDOW if part.data is None else len(part.data)
        case File():
            return _WINDOW if _is_unsized(part) else _bytes(part.name + (part.data or b"").decode(errors="replace"))


def _is_unsized(part: Part) -> bool:
    """Return True for a file whose pages are not known: a PDF of some kilobytes may have hundreds."""
    if isinstance(part, Audio):
        return part.data is None
    return isinstance(part, File) and not (part.media_type.startswith("text/") and part.data is not None)


def _bytes(text: str) -> int:
    """Return the bytes of a text, or of its normal form, which is up to eleven times longer for some letters."""
    if text.isascii():
        return len(text)
    return max(len(form.encode(errors="surrogatepass")) for form in (text, unicodedata.normalize("NFKC", text)))
