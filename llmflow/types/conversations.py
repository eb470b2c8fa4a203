"""Conversations: append-only chains of entries in the store, of which workflows hold the head."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, model_serializer, model_validator

from llmflow.types.base import CompactWire, Wire
from llmflow.types.messages import Message
from llmflow.types.models import OutputSchema
from llmflow.types.refs import PromptRef
from llmflow.types.tools import ToolSpec

__all__ = ["Head"]


class Head(Wire):
    """The end of a conversation: all that a workflow needs to continue it. `branch:position:hash` on the wire."""

    branch: str
    """Branch that holds the last entry, 16 hex digits. One run writes it; what is before it is in the branch it forks.
    """
    position: int
    """Position of the last entry, from 0."""
    hash: str
    """Hash of the last entry, which covers all before it."""

    def __str__(self) -> str:
        return f"{self.branch}:{self.position}:{self.hash}"

    @model_serializer
    def _to_text(self) -> str:
        return str(self)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:  # Any: any input; pydantic validates the rest
        if isinstance(value, str):
            rest, _, hashed = value.rpartition(":")
            branch, _, position = rest.rpartition(":")
            return {"branch": branch, "position": position, "hash": hashed}
        return value


class Said(CompactWire):
    """A message of the user or of a model."""

    type: Literal["said"] = "said"
    message: Message
    model: str | None = None
    """`provider:model` that said it; `None` for the user."""


class KeptResult(CompactWire):
    """The result of a tool's activity for an agent: its text, or a preview of the text that the store keeps."""

    text: str
    """The text as the model reads it; of a kept one, its beginning."""
    content: str | None = None
    """Hash of the whole text in the store; `None` if `text` is whole."""
    size: int | None = None
    """Characters of the whole text; `None` if `text` is whole."""


class Answered(CompactWire):
    """A tool's result, for the call of the model that has its id."""

    id: str
    text: str | None = None
    """The text; `None` if the store keeps it."""
    content: str | None = None
    """Hash of the text in the store."""
    size: int | None = None
    """Characters of the text in the store."""


class Answers(CompactWire):
    """Results of the tools that the message before it asks for."""

    type: Literal["answers"] = "answers"
    results: tuple[Answered, ...]


class Instructions(CompactWire):
    """Instructions for a model from here on: a prompt with its variables, tools, and the type of the answer."""

    type: Literal["instructions"] = "instructions"
    prompt: PromptRef
    variables: dict[str, JsonValue] = {}
    """A value for each variable of the prompt, by name."""
    output: OutputSchema | None = None
    tools: tuple[str, ...] = ()
    """Names of tools that the worker serves."""
    specs: tuple[ToolSpec, ...] = ()
    """Tools that the worker does not know under these names: renamed ones, handoffs, agents."""
    is_said: bool = True
    """False if the prompt's messages of the user were said before: only the tools or the type have changed."""


class Cut(CompactWire):
    """A window: entries before it are not sent any more, or a summary in their place."""

    type: Literal["cut"] = "cut"
    since: int | None = None
    """Position of the first entry that is still sent; `None` for what comes after the cut itself."""
    summary: str | None = None


Entry = Annotated[Said | Answers | Instructions | Cut, Field(discriminator="type")]
"""One entry of a conversation."""


class ConversationWindow(CompactWire):
    """A limit on what is sent of a conversation. It is cut between two turns, never within one."""

    turns: int | None = Field(default=None, gt=0)
    """Number of last turns that are sent, each from a message of the user to the last answer to it."""
    tokens: int | None = Field(default=None, gt=0)
    """Limit on the estimated tokens of the messages. The last turn is sent even if it is longer."""


class Thread(CompactWire):
    """A conversation in a request: its head, and what is new since then."""

    head: Head | None = None
    """`None`: the conversation begins."""
    branches: bool = False
    """True if the head may not be the last entry of its branch: the call begins a branch of its own."""
    entries: tuple[Entry, ...] = ()
    """New entries, which the activity appends together with the answer."""
    name: str
    """Name of the conversation in its run."""
    window: ConversationWindow | None = None


def contents_of(entries: Iterable[Entry]) -> set[str]:
    """Return the hashes of the results that the store keeps for these entries."""
    answers = (entry for entry in entries if isinstance(entry, Answers))
    return {one.content for entry in answers for one in entry.results if one.content}


def hash_of(before: str, entry: str) -> str:
    """Return the hash of an entry, in JSON, after the entry with the hash `before`; empty for the first."""
    return hashlib.sha256(f"{before}\n{entry}".encode()).hexdigest()[:16]


def chained(before: str, entries: Sequence[str]) -> list[str]:
    """Return the hashes of entries that follow each other."""
    hashes: list[str] = []
    for entry in entries:
        before = hash_of(before, entry)
        hashes.append(before)
    return hashes


def content_hash(text: str) -> str:
    """Return the hash under which the store keeps a text."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
    return urlsafe_b64encode(digest).decode().rstrip("=")
