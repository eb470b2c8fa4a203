"""`flow.conversation`: messages live in the store, and the run holds the head."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from llmflow.flow.arguments import invalid
from llmflow.flow.run import Talk, current
from llmflow.types.addresses import is_name
from llmflow.types.base import changed
from llmflow.types.completions import CompletionRequest
from llmflow.types.conversations import (
    Answered,
    Answers,
    ConversationWindow,
    Cut,
    Entry,
    Head,
    Instructions,
    Said,
    Thread,
)
from llmflow.types.messages import Message
from llmflow.types.tools import ToolSpec

Says = Literal["again", "once", "without variables"]
"""When a call says its prompt in a conversation: always; if it or its variables are new; or, as it has none, with the
last variables if it is new."""


class Conversation:
    """A conversation in a run: `await flow.complete("support/reply", {...}, conversation=conversation)`.

    The store keeps its messages as a chain of hashes. The history holds the head and what is new with each call, so
    that it grows with the turns and not with their square. Calls of one conversation wait for each other.
    """

    def __init__(self, talk: Talk, window: ConversationWindow | None) -> None:
        """See `flow.conversation`."""
        self._talk = talk
        self._window = window

    @property
    def name(self) -> str:
        """Its name in the run: `llmflow conversation show RUN` lists it."""
        return self._talk.name

    @property
    def head(self) -> Head | None:
        """The end of what was said, for another run to continue; `None` before the first answer."""
        return self._talk.head

    def add(self, *messages: Message) -> None:
        """Add messages, which the next call sends.

        Raises:
            InputInvalid: one is no message.
        """
        for message in messages:
            if not isinstance(message, Message):  # pyright: ignore[reportUnnecessaryIsInstance]  # a user's mistake
                raise invalid("messages", f'{message!r:.100} is no message: give flow.Message.user("...")')
        self._add(*(Said(message=message) for message in messages))

    def fork(self, at: Head | None = None) -> "Conversation":
        """Begin a conversation with all that was said in this one, or with what was said up to `at`.

        Both go on by themselves; nothing is copied.

        Args:
            at: An earlier head of this conversation, such as `Completion.head`.
        """
        talk = current().conversations.begin(self.name, at or self.head)
        if at is None:
            talk.new, talk.asked, talk.local = self._talk.new, self._talk.asked, self._talk.local
        return Conversation(talk, self._window)

    def cut(self, since: Head, *, summary: str | None = None) -> None:
        """Send only what was said after `since` from now on, or a summary in place of what was said before.

        The store keeps everything. What only a vendor reads of earlier turns, such as signed thoughts, is not sent any
        more.

        Args:
            since: An earlier head of this conversation.
            summary: Summary of what is left out, such as the answer of a fork that was asked for one.

        Raises:
            InputInvalid: the conversation has not come to `since` yet.
        """
        if self.head is None or since.position > self.head.position:
            raise invalid("since", f"since={since}: give an earlier head of this conversation, which is at {self.head}")
        self._add(Cut(since=since.position + 1, summary=summary))

    def forget(self) -> None:
        """Send nothing of what was said so far from now on. The store keeps it."""
        self._add(Cut())

    def answer(self, results: Sequence[Answered]) -> None:
        """Add the results of tools that the last message asks for."""
        self._add(Answers(results=tuple(results)))

    @property
    def is_busy(self) -> bool:
        """True while a call continues it."""
        return self._talk.turn.locked()

    @property
    def tokens(self) -> int:
        """Tokens of what was said, by the usage of the last answer."""
        return self._talk.tokens

    @property
    def local(self) -> tuple[str, ...]:
        """Tools that agents call as local activities, as the worker said that was asked with them first."""
        return self._talk.local

    @asynccontextmanager
    async def continued(
        self, request: CompletionRequest, specs: Sequence[ToolSpec], says: Says, turns: int | None
    ) -> AsyncGenerator[CompletionRequest]:
        """Yield a request that continues the conversation. If its call fails, the conversation stays as it was.

        Args:
            request: The request. Its prompt, variables, tools and output are sent once, its messages now.
            specs: Tools that the worker does not know.
            says: When the prompt is said.
            turns: Number of last turns that are sent from this call on, beside what it adds; `None` for all.
        """
        talk = self._talk
        async with talk.turn:
            before = talk.new, talk.asked
            wanted = Instructions(
                prompt=request.prompt,
                variables=request.variables,
                output=request.output,
                tools=request.tools,
                specs=tuple(specs),
            )
            last = talk.asked if talk.asked and talk.asked.prompt.name == wanted.prompt.name else None
            if last and says == "without variables":
                wanted = changed(wanted, variables=last.variables)
            is_said = says == "again" or last is None or last.variables != wanted.variables
            if is_said or last != wanted:
                self._add(changed(wanted, is_said=is_said))
                talk.asked = wanted
            self._add(*(Said(message=message) for message in request.messages))
            window = ConversationWindow(turns=turns + 1) if turns else self._window
            thread = Thread(head=talk.head, branches=talk.branches, entries=talk.new, name=talk.name, window=window)
            talk.sent = len(talk.new)
            talk.branches = True  # until the answer is here: a lost one may be in the store
            try:
                yield changed(request, variables={}, messages=(), output=None, tools=(), thread=thread)
            except BaseException:
                talk.new, talk.asked = (*before[0], *talk.new[talk.sent :]), before[1]
                raise

    def moved(self, head: Head | None, local: tuple[str, ...], tokens: int) -> None:
        """Go on from the head of an answer. What was added while the model answered is sent with the next call."""
        if head is None:
            return
        talk = self._talk
        if any(isinstance(entry, Instructions) for entry in talk.new[: talk.sent]):
            talk.local = local
        talk.head, talk.branches, talk.new, talk.sent = head, False, talk.new[talk.sent :], 0
        talk.tokens = tokens

    def _add(self, *entries: Entry) -> None:
        self._talk.new = (*self._talk.new, *entries)


def conversation(
    name: str = "conversation",
    *,
    head: Head | None = None,
    turns: int | None = None,
    tokens: int | None = None,
) -> Conversation:
    """Return the conversation of that name in this run, or begin it.

    A run that continues as new goes on with its conversations by their names.

    Args:
        name: Short and readable, without `/` and `#`.
        head: End of an earlier conversation, also of another run, that this one continues.
        turns: Number of last turns that are sent. A turn goes from a message of the user to the last answer to it.
        tokens: Limit on the estimated tokens that are sent. The last turn is sent even if it is longer.

    Raises:
        InputInvalid: the name is empty or contains `/` or `#`; a limit is less than 1; or the run has a conversation
            of that name, which `head` would replace.
    """
    if not is_name(name):
        raise invalid("name", f"conversation name {name!r}: use a non-empty name without `/` and `#`")
    for field, given in (("turns", turns), ("tokens", tokens)):
        if given is not None and given < 1:
            raise invalid(field, f"{field}={given}: give 1 or more")
    window = ConversationWindow(turns=turns, tokens=tokens) if turns or tokens else None
    known = current().conversations.named(name)
    if known and head:
        raise invalid("head", f"this run has a conversation {name!r} already: give this one another name")
    talk = known or current().conversations.begin(name, head)
    talk.is_carried = True
    return Conversation(talk, window)
