"""The thread of a call: the conversation that it reads before it asks, and the turn that it appends with the answer."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from llmflow.activities.conversations.views import cut_of, messages_of
from llmflow.errors import ConversationLost
from llmflow.prompts.prompt import PromptVersion
from llmflow.stores.conversations.chains import Placed, read_chain
from llmflow.stores.conversations.contents import get_contents
from llmflow.stores.conversations.turns import EntryRow, Turn
from llmflow.stores.database import Database
from llmflow.stores.ledger.rows import Call
from llmflow.stores.prompts.registry import Registry
from llmflow.types.base import changed
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.conversations import Entry, Head, Instructions, Said, Thread, chained, contents_of
from llmflow.types.messages import Message
from llmflow.types.tools import ToolSpec

PREVIEW = 200
"""Characters of a turn's text in the history, if the turn asks for tools: the store has the rest."""


@dataclass(frozen=True)
class OpenThread:
    """A conversation as one call continues it."""

    thread: Thread
    asked: Instructions
    """The prompt, variables, tools and type of the answer."""
    messages: tuple[Message, ...]
    """All that the model gets before the answer."""
    new: tuple[Entry, ...]
    """Entries to append before the answer."""
    writer: str | None
    """Id of the run that writes the branch of the head."""

    def first_local(self, tools: Sequence[ToolSpec]) -> tuple[str, ...]:
        """Return the local ones of the tools that this call offers first."""
        is_first = any(isinstance(entry, Instructions) for entry in self.new)
        return tuple(tool.name for tool in tools if tool.local) if is_first else ()


class Threads:
    """Reads the conversations of calls."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self._database = database
        self._registry = registry

    async def opened(self, request: CompletionRequest, thread: Thread) -> OpenThread:
        """Read the conversation of a request and build its messages.

        Raises:
            ConversationLost: the store does not have it, or has another one.
            PromptError: this worker does not have a version, or the variables do not fit it.
            StoreUnavailable: the store does not answer.
        """
        old: Sequence[Placed] = ()
        cut, writer = None, None
        if thread.head:
            chain = await read_chain(self._database, thread.head)
            old, cut, writer = chain.entries, chain.cut, chain.writer
        first = thread.head.position + 1 if thread.head else 0
        new: list[Entry] = list(thread.entries)
        if thread.window and (window := cut_of(thread.window, old, new, first, cut)):
            new.insert(0, window)
        placed = [*old, *(Placed(first + number, entry) for number, entry in enumerate(new))]
        asked = next((one.entry for one in reversed(placed) if isinstance(one.entry, Instructions)), None)
        if asked is None:
            raise ConversationLost(f"conversation {thread.head} has no prompt: give one with its variables")
        prompts = await self._prompts(request, placed)
        contents = await get_contents(self._database, contents_of(one.entry for one in placed))
        messages = messages_of(placed, asked, prompts, prompts[str(request.prompt)], contents, request.model)
        return OpenThread(thread, asked, messages, tuple(new), writer)

    async def _prompts(self, request: CompletionRequest, placed: Sequence[Placed]) -> dict[str, PromptVersion]:
        refs = {str(one.entry.prompt): one.entry.prompt for one in placed if isinstance(one.entry, Instructions)}
        refs[str(request.prompt)] = request.prompt
        return {text: await self._registry.get(ref) for text, ref in refs.items()}


def turn_after(open: OpenThread, call: Call, result: CompletionResult) -> Turn | None:
    """Return the turn with the answer; `None` for an answer that the conversation does not take, as it says nothing.

    A call continues the branch of its own run; a retried one begins a branch, because the first attempt may still be
    at work somewhere.
    """
    says_something = result.text.strip() or result.tool_calls
    if not says_something or result.finish_reason in ("refused", "unknown"):
        return None
    thread, head = open.thread, open.thread.head
    begins = head is None or thread.branches or call.id.attempt > 1 or open.writer != call.id.run_id
    branch = _branch(call) if begins or head is None else head.branch
    entries = (*open.new, Said(message=result.message, model=call.model_asked))
    texts = [entry.model_dump_json() for entry in entries]
    hashes = chained(head.hash if head else "", texts)
    position = (head.position if head else -1) + len(entries)
    return Turn(
        name=thread.name,
        head=Head(branch=branch, position=position, hash=hashes[-1]),
        entries=tuple(
            EntryRow(kind=entry.type, hash=hashed, entry=text)
            for entry, hashed, text in zip(entries, hashes, texts, strict=True)
        ),
        forks=head if begins else None,
        begins=begins,
        run_id=call.id.run_id,
        workflow_id=call.id.workflow_id,
        root_id=call.origin.root or call.id.workflow_id,
        tenant=call.origin.tenant,
        user=call.origin.user,
        at=call.at,
    )


def kept_in_history(result: CompletionResult) -> CompletionResult:
    """Return what the history needs of an answer whose turn is in the store."""
    if result.head is None:
        return result
    is_long = result.tool_calls and len(result.text) > PREVIEW
    return changed(result, text=f"{result.text[: PREVIEW - 1]}…" if is_long else result.text, opaque=())


def _branch(call: Call) -> str:
    """Return the id of a branch that the call begins: of its run, its address and its attempt."""
    return hashlib.sha256(f"{call.id.run_id}/{call.id.activity_id}#{call.id.attempt}".encode()).hexdigest()[:16]
