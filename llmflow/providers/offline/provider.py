"""The offline provider: answers without a language model.

It answers only from the text of the request: it finds the question and the passages, ranks their sentences, and copies
the best ones into the requested shape. So a demo runs on real documents without a key, and every word of an answer can
be checked. It cannot reason, rephrase or translate, and it adds nothing to the input.
"""

import asyncio
import json
import re

from llmflow.providers.offline.extraction.answers import AnswerWriter
from llmflow.providers.offline.extraction.content import RankedMaterial
from llmflow.providers.offline.extraction.material import read
from llmflow.providers.offline.tools import asked_last, tool_for
from llmflow.types.messages import ToolCall
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink
from llmflow.types.usage import Usage

MODEL = "extractive"
"""Name of the answering model, for all requested models."""
OFFLINE_NOTICE = "[offline: no language model; sentences copied from the input]"
"""First line of each text answer, to be shown with every answer of this provider."""


class Offline:
    """A provider without a model and a network: equal requests get equal answers.

    With an `output`, the answer is JSON of that schema. Without one, it is `OFFLINE_NOTICE` and the most relevant
    sentences. A tool is called if the request demands it, or if its description has words of what the user said last
    and no tool has answered yet. Usage counts words, because there are no tokens.
    """

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        """Answer from the request's own text.

        Raises:
            RequestRejected: no part of the input fits a pattern, or the schema contains itself without end.
        """
        # In a thread: a megabyte of documents takes about a second, and heartbeats must continue.
        return await asyncio.to_thread(_complete, request)

    async def close(self) -> None:
        """Do nothing: there are no connections."""


def _complete(request: ModelRequest) -> ModelResponse:
    content = RankedMaterial(read(request.messages))
    tool = tool_for(request)
    if tool is not None:
        content = RankedMaterial(read(asked_last(request.messages) or request.messages))
        arguments = json.dumps(AnswerWriter(content, tool.json_schema).value(), ensure_ascii=False)
        text, calls = "", (ToolCall(id=_call_id(request), name=tool.name, arguments=arguments),)
    elif request.output is not None:
        text, calls = json.dumps(AnswerWriter(content, request.output.json_schema).value(), ensure_ascii=False), ()
    else:
        text, calls = "\n".join([OFFLINE_NOTICE, " ".join(content.prose(content.all))]).strip(), ()
    read_words = sum(_words(message.text) for message in request.messages)
    written = _words(text) + sum(_words(call.arguments) for call in calls)
    return ModelResponse(
        text=text,
        model=MODEL,
        usage=Usage(input_tokens=read_words, output_tokens=written),
        finish_reason="tool_calls" if calls else "stop",
        tool_calls=calls,
    )


def _call_id(request: ModelRequest) -> str:
    """Make an id that is unique in the conversation."""
    earlier = sum(isinstance(part, ToolCall) for message in request.messages for part in message.parts)
    return f"offline-{earlier + 1}"


def _words(text: str) -> int:
    return len(re.findall(r"\S+", text))
