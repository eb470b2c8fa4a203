"""Tools that a vendor runs itself, found in the output of an answer: most are billed by the call.

Sources: "Pricing" of developers.openai.com, section "Built-in tools": searches of the web cost by the call (opening
a page and finding in it do not: "Web search", section "Output"), searches of files too, containers by their time,
images by their own tokens; computer use, MCP and shells of the user's machine only their tokens. `executed_tools` of
Groq's SDK.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import cast

FREE = frozenset(
    {
        "apply_patch_call",
        "compaction",
        "computer_call",
        "custom_tool_call",
        "function_call",
        "local_shell_call",
        "mcp_approval_request",
        "mcp_call",
        "mcp_list_tools",
        "message",
        "reasoning",
        "tool_search_call",
        "tool_search_output",
    }
)
"""Items of the Responses API that cost only their tokens."""

_FIELDS = MappingProxyType({"web_search_call": "web_searches", "file_search_call": "file_searches"})
_SIGNS = ("annotations", "executed_tools", "code_interpreter_results")
"""Lists of a message that hosted tools fill: OpenAI's searches, Groq's tools, Anthropic's containers by litellm."""
_OLD_SEARCH = "web_search_preview"
"""Tool with another price, which depends on the model."""


def items_run(items: Iterable[Mapping[str, object]], tools: object) -> dict[str, int]:
    """Count the billed items of a Responses answer, by field of `Usage` or by the vendor's name.

    Args:
        items: Output items: type, status, and action.
        tools: Tools of the request, as the answer repeats them.
    """
    given = cast(list[object], tools) if isinstance(tools, list) else []
    old = any(_kind(tool).startswith(_OLD_SEARCH) for tool in given)
    found: dict[str, int] = {}
    for item in items:
        kind = _kind(item)
        if kind in FREE or not kind or item.get("status") == "failed" or _is_reading(item):
            continue
        name = _OLD_SEARCH if old and kind == "web_search_call" else kind
        field = _FIELDS.get(name, name)
        found[field] = found.get(field, 0) + 1
    return found


def said_run(message: Mapping[str, object], model: str) -> dict[str, int]:
    """Count the signs of hosted tools in a Chat Completions answer, which has no items: their prices are not known.

    Args:
        message: Fields of the message, of which such tools fill some.
        model: The model that answered.
    """
    of_litellm = message.get("provider_specific_fields")
    signs = {**message, **(cast(dict[str, object], of_litellm) if isinstance(of_litellm, dict) else {})}
    lists = {name: cast(list[object], signs[name]) for name in _SIGNS if isinstance(signs.get(name), list)}
    found = {name: len(value) for name, value in lists.items() if value}
    if "-search-" in f"{model}-":  # searches in every request: gpt-4o-search-preview, gpt-5-search-api
        found["a search in every request"] = 1
    return found


def _kind(item: object) -> str:
    return str(cast(Mapping[str, object], item).get("type") or "") if isinstance(item, Mapping) else ""


def _is_reading(item: Mapping[str, object]) -> bool:
    """Return True for a web search that only opens a page, or finds in it."""
    return _kind(item.get("action")) in {"open_page", "find_in_page"}
