"""Chooses the tool that fits what was asked, by the words of its name and description."""

from collections.abc import Sequence

from llmflow.providers.offline.extraction.words import stems
from llmflow.types.messages import Message, Text, ToolResult
from llmflow.types.models import ModelRequest
from llmflow.types.tools import ToolSpec


def tool_for(request: ModelRequest) -> ToolSpec | None:
    """Return the tool of a request to call; `None` to answer.

    That is the demanded one (`tool_choice`), or the one whose name and description share the most words with what the
    user said last. After the result of a tool, the request is answered.
    """
    choice = request.options.tool_choice
    if choice == "none" or not request.tools:
        return None
    if choice not in (None, "auto"):
        return next((tool for tool in request.tools if choice in ("required", tool.name)), None)
    asked = asked_last(request.messages)
    if not asked or any(isinstance(part, ToolResult) for part in request.messages[-1].parts):
        return None
    said = set(stems(asked[0].text))
    best = max(request.tools, key=lambda tool: len(said & _words(tool)))
    return best if said & _words(best) else None


def asked_last(messages: Sequence[Message]) -> Sequence[Message]:
    """Return the last message of the user with text, from which arguments are taken; empty if there is none."""
    said = [one for one in messages if one.role == "user" and any(isinstance(part, Text) for part in one.parts)]
    return said[-1:]


def _words(tool: ToolSpec) -> set[str]:
    return set(stems(f"{tool.name.replace('_', ' ')} {tool.description}"))
