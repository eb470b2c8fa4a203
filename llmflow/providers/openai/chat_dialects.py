"""Differences between servers of Chat Completions in what a request can say, by host: one table.

Sources: OpenAI's SDK (`prompt_cache_breakpoint`, for GPT-5.6 and later), OpenRouter ("Prompt Caching", "PDF Inputs"),
DeepSeek ("Chat Prefix Completion"), Mistral's SDK (`AssistantMessage.prefix`, `DocumentURLChunk`, `FileChunk`) and
"Audio & Transcription", litellm ("Pre-fix Assistant Messages", "Prompt Caching", "Using PDF Input"). Kimi's "Partial
Mode" is known by its title alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from llmflow.providers.hosts import is_at
from llmflow.providers.openai.cache_marks import Marks


@dataclass(frozen=True, kw_only=True)
class ChatDialect:
    """Abilities of a server. What is unknown is not sent, because servers refuse fields that they do not know."""

    limit: str = "max_tokens"
    """Name of the token limit.

    OpenAI's reasoning models refuse the old name, `max_tokens`. Mistral refuses the new one, and some local servers
    ignore it, which would mean no limit. So only servers known to accept the new name get it.
    """
    prefix: Mapping[str, bool] | None = None
    """Fields of the last message that make the model continue it; `None` if it does not."""
    marks: Marks | None = None
    """Field of a cache mark."""
    documents: Literal["file", "document_url", "litellm"] = "file"
    """Format of documents: OpenAI's, Mistral's, or litellm's."""
    files_by_url: bool = False
    """True if a document may have an address."""
    results: bool = False
    """True if a tool result may have pictures and files."""


_NEW_LIMIT = "max_completion_tokens"
_PREFIX = MappingProxyType({"prefix": True})
_PLAIN = MappingProxyType[str, bool]({})

_HOSTS: tuple[tuple[tuple[str, ...], ChatDialect], ...] = (
    (
        ("openai.com", "openai.azure.com", "services.ai.azure.com"),
        ChatDialect(limit=_NEW_LIMIT, marks="prompt_cache_breakpoint"),
    ),
    (("openrouter.ai",), ChatDialect(limit=_NEW_LIMIT, prefix=_PLAIN, marks="cache_control", files_by_url=True)),
    (("deepseek.com",), ChatDialect(prefix=_PREFIX)),
    (("mistral.ai",), ChatDialect(prefix=_PREFIX, documents="document_url", files_by_url=True)),
    (("moonshot.ai", "moonshot.cn"), ChatDialect(prefix=MappingProxyType({"partial": True}))),
)
_OTHER = ChatDialect()

_LITELLM = ChatDialect(documents="litellm", files_by_url=True)
_OF_LITELLM: Mapping[str, ChatDialect] = MappingProxyType(
    {
        **dict.fromkeys(
            ("anthropic", "bedrock", "vertex_ai"),
            ChatDialect(prefix=_PREFIX, marks="cache_control", documents="litellm", files_by_url=True, results=True),
        ),
        "gemini": ChatDialect(documents="litellm", files_by_url=True, results=True),
        **dict.fromkeys(("deepseek", "mistral"), ChatDialect(prefix=_PREFIX, documents="litellm", files_by_url=True)),
    }
)
"""By the part of the model's id before the slash. Without a mark, litellm makes no caches of Gemini on its own."""


def dialect_at(base_url: str) -> ChatDialect:
    """Return the dialect of a server."""
    return next((dialect for hosts, dialect in _HOSTS if is_at(base_url, *hosts)), _OTHER)


def dialect_of_litellm(model: str) -> ChatDialect:
    """Return litellm's dialect for a model, such as `anthropic/claude-sonnet-4-5`."""
    return _OF_LITELLM.get(model.partition("/")[0], _LITELLM)
