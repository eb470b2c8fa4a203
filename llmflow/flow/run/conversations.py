"""Conversations of a run: their heads by name, carried over continue-as-new."""

import asyncio
from collections.abc import Mapping
from itertools import count

from llmflow.flow.run.part import AnyHeader, Part
from llmflow.flow.run.scope import kept
from llmflow.types.addresses import repeated
from llmflow.types.carried import Carried
from llmflow.types.contracts import KEPT
from llmflow.types.conversations import Entry, Head, Instructions


class Talk:
    """One conversation of a run. `flow.conversation` gives it its verbs."""

    def __init__(self, name: str, head: Head | None = None) -> None:
        self.name = name
        self.head = head
        self.branches = head is not None
        """True if the head may not be the last entry of its branch."""
        self.new: tuple[Entry, ...] = ()
        """Entries since the head, which the next call appends."""
        self.asked: Instructions | None = None
        """The last `Instructions` for the model; `None` if this run has not asked."""
        self.sent = 0
        """Number of the new entries that the call in flight sends."""
        self.tokens = 0
        """Tokens of what was said, by the usage of the last answer."""
        self.is_carried = False
        """True if the run that continues as new goes on with it: it was asked for by its name."""
        self.local: tuple[str, ...] = ()
        """Tools that agents call as local activities."""
        self.turn = asyncio.Lock()
        """Held by the call that continues it."""


class Conversations(Part):
    """Conversations by name."""

    def __init__(self) -> None:
        self._talks: dict[str, Talk] = {}
        self._allowed: tuple[str, ...] = ()

    def restore(self, carried: Carried) -> None:
        """See base class."""
        self._allowed = carried.allowed
        for name, one in carried.conversations.items():
            self._talks[name] = talk = Talk(name, one.head)
            talk.is_carried = True
            talk.new, talk.asked, talk.local, talk.tokens = one.new, one.asked, one.local, one.tokens

    def for_next(self) -> Mapping[str, object]:
        """See base class."""
        kept = {
            name: {"head": talk.head, "new": talk.new, "asked": talk.asked, "local": talk.local, "tokens": talk.tokens}
            for name, talk in self._talks.items()
            if talk.is_carried and (talk.head or talk.new)
        }
        return {"conversations": kept, "allowed": self._allowed}

    def for_activity(self, activity_id: str | None, type: str, *, is_local: bool) -> Mapping[AnyHeader, object]:
        """See base class."""
        return {KEPT: True} if kept.get() else {}

    def named(self, name: str) -> Talk | None:
        """Return the conversation of that name."""
        return self._talks.get(name)

    def begin(self, name: str, head: Head | None) -> Talk:
        """Begin a conversation. The second one of a name is `name#2`."""
        unique = next(one for number in count(1) if (one := repeated(name, number)) not in self._talks)
        self._talks[unique] = talk = Talk(unique, head)
        return talk

    def allow(self, asked: str) -> None:
        """Approve all further calls in this run of a tool, by one agent and by the same people."""
        self._allowed = (*self._allowed, asked)

    def is_allowed(self, asked: str) -> bool:
        """Return True if people have approved all further calls."""
        return asked in self._allowed
