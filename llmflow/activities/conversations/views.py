"""Messages of a conversation for a model, made from its entries, in a form that every vendor accepts."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from llmflow.prompts.prompt import PromptVersion, render
from llmflow.stores.conversations.chains import Placed
from llmflow.types.base import changed
from llmflow.types.conversations import Answers, ConversationWindow, Cut, Entry, Instructions, Said
from llmflow.types.messages import Message, Part, ToolCall, ToolResult, without_opaque
from llmflow.types.sizes import CHARACTERS_PER_TOKEN, estimated_tokens

UNANSWERED = "no result: the turn was stopped"
"""Result of a tool call that nobody answered. Vendors refuse a call without a result."""


def messages_of(
    placed: Sequence[Placed],
    asked: Instructions,
    prompts: Mapping[str, PromptVersion],
    current: PromptVersion,
    contents: Mapping[str, str],
    model: str,
) -> tuple[Message, ...]:
    """Return the messages for a model: system messages first, then the summary of a window, then what was said.

    Args:
        placed: Entries since the window, in order; an older `Instructions` may come first.
        asked: The last instructions among them.
        prompts: Versions of the prompts of all entries, by `name@version`.
        current: Version of the prompt that the call is pinned to. A fork may have another one than the entries.
        contents: Kept results of tools, by their hash.
        model: `provider:model` that is asked.
    """
    cut = next((one for one in reversed(placed) if isinstance(one.entry, Cut)), None)
    since, begins = (cut.since, cut.position) if cut else (0, 0)
    version = current if current.ref.name == asked.prompt.name else prompts[str(asked.prompt)]
    messages = [one for one in render(version, asked.variables) if one.role == "system"]
    if cut and isinstance(cut.entry, Cut) and cut.entry.summary:
        messages.append(Message.user(f"Summary of the conversation so far:\n{cut.entry.summary}"))
    for one in placed:
        if one.position < since:
            continue
        match one.entry:
            case Instructions() as entry if entry.is_said:
                rendered = render(prompts[str(entry.prompt)], entry.variables)
                messages += [message for message in rendered if message.role != "system"]
            case Said() as entry:
                # What only a vendor reads is for the model that wrote it, while all that was before it is sent.
                is_ours = entry.model == model and one.position >= begins
                messages += [entry.message if is_ours else without_opaque(entry.message)]
            case Answers() as entry:
                results = [
                    ToolResult(id=result.id, text=contents[result.content] if result.content else result.text or "")
                    for result in entry.results
                ]
                messages.append(Message(role="user", parts=tuple(results)))
            case Instructions() | Cut():
                pass
    return tuple(_paired([message for message in messages if message.parts]))


def _paired(messages: Sequence[Message]) -> Iterator[Message]:
    """Answer every tool call in the message after it, and drop results that no call before them asks for."""
    open: dict[str, ToolCall] = {}
    for message in messages:
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        if results or open:
            by_id = {part.id: part for part in results}
            answers = tuple(by_id.get(id) or ToolResult(id=id, text=UNANSWERED) for id in open)
            if answers:
                yield Message(role="user", parts=answers)
            others: tuple[Part, ...] = tuple(part for part in message.parts if not isinstance(part, ToolResult))
            message = changed(message, parts=others)
        open = {part.id: part for part in message.parts if isinstance(part, ToolCall)}
        if message.parts:
            yield message
    if open:
        yield Message(role="user", parts=tuple(ToolResult(id=id, text=UNANSWERED) for id in open))


def cut_of(
    window: ConversationWindow, old: Sequence[Placed], new: Sequence[Entry], first: int, last_cut: Placed | None
) -> Cut | None:
    """Return the cut that a window makes before new entries; `None` within a turn, or if all fits."""
    if not any(_begins_turn(entry) for entry in new):
        return None
    turns = [
        one.position
        for before, one in pairwise((None, *old))
        if one and _begins_turn(one.entry) and not (before and _begins_turn(before.entry))
    ]
    own = [*old, *(Placed(first + number, entry) for number, entry in enumerate(new))]
    since = _since(window, turns, own, first)
    if since <= (last_cut.since if last_cut else 0):
        return None
    return Cut(since=since, summary=last_cut.entry.summary if last_cut and isinstance(last_cut.entry, Cut) else None)


def _since(window: ConversationWindow, turns: Sequence[int], own: Sequence[Placed], first: int) -> int:
    """Return the position of the first turn that is still sent; the new one begins at `first`."""
    begins = [*turns, first]
    since = 0
    if window.turns and len(begins) > window.turns:
        since = begins[-window.turns]
    if window.tokens:
        since = max(since, _fitting(window.tokens, begins, own))
    return since


def _fitting(limit: int, begins: Sequence[int], own: Sequence[Placed]) -> int:
    """Return the first of the last turns that fit into a number of tokens; the last one if not even that fits."""
    tokens, found, turns = 0, begins[-1], set(begins)
    for one in reversed(own):
        tokens += _tokens(one.entry)
        if tokens > limit:
            return found
        if one.position in turns:
            found = one.position
    return found


def _tokens(entry: Entry) -> int:
    match entry:
        case Said():
            return estimated_tokens((entry.message,))
        case Answers():
            return sum(one.size or len(one.text or "") for one in entry.results) // CHARACTERS_PER_TOKEN
        case Instructions():
            return len(entry.model_dump_json()) // CHARACTERS_PER_TOKEN
        case Cut():
            return 0


def _begins_turn(entry: Entry) -> bool:
    """True for a message of the user, and for a prompt, which may have one."""
    return isinstance(entry, Instructions) or (isinstance(entry, Said) and entry.model is None)
