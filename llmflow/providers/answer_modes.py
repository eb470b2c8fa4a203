"""Typed answers of every model: the ways to ask for one, from the surest to the one that all models understand.

    json_schema  the vendor's own strict schemas
    tool         a tool whose arguments are the answer
    json_object  the vendor's JSON mode, with the schema in the prompt
    prompted     the schema in the prompt alone

A vendor that refuses one is asked in the next, at once and for nothing; the worker remembers it for the model.
"""

import re
from collections.abc import Mapping
from time import monotonic
from types import MappingProxyType
from typing import get_args

from pydantic import JsonValue
from pydantic_core import to_json

from llmflow.errors import RequestRejected
from llmflow.providers.hosts import is_at
from llmflow.providers.openai.body import schema_name
from llmflow.providers.openai.strict_schema import WireSchema, wire_schema
from llmflow.types.base import changed
from llmflow.types.messages import Message, Text
from llmflow.types.models import AnswerMode, FinishReason, ModelOptions, ModelRequest, ModelResponse, OutputSchema
from llmflow.types.providers import DeltaSink, Provider
from llmflow.types.tools import ToolSpec

_MODES: tuple[AnswerMode, ...] = get_args(AnswerMode)

_WORDS: Mapping[AnswerMode, re.Pattern[str]] = MappingProxyType(
    {
        "json_schema": re.compile(r"response_?format|json_?schema|schema|structured|text\.format|output_format", re.I),
        "tool": re.compile(r"tool|function", re.I),
        "json_object": re.compile(r"response_?format|json", re.I),
    }
)
"""Words of a vendor that refuses a mode, and not something else of the request."""

_FAULT = re.compile(r"invalid schema|invalid_function_parameters", re.I)

_JSON_OBJECT: JsonValue = {"type": "json_object"}
_JSON_MODES: Mapping[str, Mapping[str, JsonValue]] = MappingProxyType(
    {
        "chat": {"response_format": _JSON_OBJECT},
        "litellm": {"response_format": _JSON_OBJECT},
        "responses": {"text": {"format": _JSON_OBJECT}},
    }
)
"""Fields of a request in JSON mode, by API."""


class AnswerModes:
    """A provider whose typed answers are asked for in the first mode that the model does not refuse."""

    def __init__(self, provider: Provider, api: str, base_url: str | None) -> None:
        """Choose the first mode.

        Args:
            provider: The provider.
            api: Its API in models.yaml.
            base_url: Base URL of its server.
        """
        self._provider = provider
        self._json_mode = _JSON_MODES.get(api, {})
        self._first: AnswerMode = "json_object" if base_url and is_at(base_url, "deepseek.com") else "json_schema"
        self._known: dict[str, AnswerMode] = {}
        """The mode of each model, in this worker."""

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        """See `Provider.complete`."""
        if request.output is None:
            return await self._provider.complete(request, sink)
        given = request.options.answer_mode
        first = mode = given or self._known.get(request.model, self._first)
        began = monotonic()
        while True:
            left = changed(request, timeout=max(request.timeout - (monotonic() - began), 1.0))
            try:
                response = await self._ask(left, request.output, mode, sink)
            except RequestRejected as error:
                if given or mode == _MODES[-1] or not _refuses(mode, error):
                    raise
                mode = _MODES[_MODES.index(mode) + 1]
            else:
                if mode != first:
                    self._known[request.model] = mode
                return changed(response, mode=mode)

    async def close(self) -> None:
        """See `Provider.close`."""
        await self._provider.close()

    async def _ask(
        self, request: ModelRequest, output: OutputSchema, mode: AnswerMode, sink: DeltaSink
    ) -> ModelResponse:
        if mode == "json_schema":
            return await self._provider.complete(request, sink)
        schema = wire_schema(output.json_schema)
        if mode == "tool":
            response = await self._provider.complete(_with_tool(request, output, schema), sink)
            return _from_tool(response, schema_name(output), schema)
        extra = {**self._json_mode, **(request.options.extra or {})} if mode == "json_object" else request.options.extra
        options = changed(request.options, extra=extra)
        asked = changed(request, output=None, messages=_told(request.messages, schema), options=options)
        return _read(await self._provider.complete(asked, sink), schema)


def _refuses(mode: AnswerMode, error: RequestRejected) -> bool:
    """Return True for a vendor that lacks the mode; False if it has it, and finds a fault in a schema or a tool."""
    return bool(_WORDS[mode].search(error.message)) and not _FAULT.search(error.message)


def _with_tool(request: ModelRequest, output: OutputSchema, schema: WireSchema) -> ModelRequest:
    answer = ToolSpec(name=schema_name(output), description="Gives the answer.", json_schema=dict(schema.schema))
    choice = "required" if request.tools else answer.name  # the model may use another tool first
    options = ModelOptions(tool_choice=choice).over(request.options)
    return changed(request, output=None, tools=(*request.tools, answer), options=options)


def _from_tool(response: ModelResponse, name: str, schema: WireSchema) -> ModelResponse:
    """Return the arguments of the answering tool as the text of the answer."""
    given = next((call for call in response.tool_calls if call.name == name), None)
    others = tuple(call for call in response.tool_calls if call.name != name)
    if others or given is None:  # tools to run first; or text, which is an answer as well
        return changed(_read(response, schema), tool_calls=others)
    ended: FinishReason = "length" if response.finish_reason == "length" else "stop"
    return changed(response, text=schema.read([given.arguments]), tool_calls=(), opaque=(), finish_reason=ended)


def _read(response: ModelResponse, schema: WireSchema) -> ModelResponse:
    ended = response.finish_reason in {"refused", "unknown"}
    return response if ended else changed(response, text=schema.read([response.text]))


def _told(messages: tuple[Message, ...], schema: WireSchema) -> tuple[Message, ...]:
    """Return the messages with the schema in the system message: some servers allow one, at the beginning."""
    text = f"Answer with JSON alone, which fits this JSON schema:\n{to_json(schema.schema).decode()}"
    if messages and messages[0].role == "system":
        return changed(messages[0], parts=(*messages[0].parts, Text(text=text))), *messages[1:]
    return Message.system(text), *messages
