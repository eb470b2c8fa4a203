"""Conversations of runs: what was said, and where two of them part."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from llmflow.errors import ErrorDetail, RunNotFound, StepNotFound, unknown
from llmflow.service.costs import ledger
from llmflow.stores.conversations.heads import KeptConversation, conversations_of, read_conversation
from llmflow.types.conversations import Entry

__all__ = ["ConversationDiff", "KeptConversation", "diff_conversations", "show_conversations"]


class ConversationDiff(BaseModel):
    """Two conversations, up to where they part and after it."""

    model_config = ConfigDict(frozen=True)

    same: int
    """Number of first entries that both have."""
    one: tuple[Entry, ...]
    """Further entries of the first one."""
    other: tuple[Entry, ...]
    """Further entries of the second one."""


async def show_conversations(store: str, run: str, name: str | None = None) -> Sequence[KeptConversation]:
    """Return the conversations of a run and of the runs below it, the newest first; with a name, that one alone.

    Raises:
        RunNotFound: the store has no conversation of the run.
        StepNotFound: the run has no conversation of that name.
        ConversationLost: the store has lost entries of it.
        ConfigInvalid: the store has an older schema, or does not exist.
        StoreUnavailable: it does not answer.
    """
    async with ledger(store) as database:
        found = await conversations_of(database, run)
        if not found:
            raise RunNotFound(f"the store has no conversation of run {run!r}: has it asked a model in one?")
        wanted = [one for one in found if name in (None, one[1])]
        if not wanted:
            raise StepNotFound(
                f"run {run!r} has no conversation {unknown(name or '', {known for _, known, _ in found})}",
                ErrorDetail(field="name"),
            )
        return [await read_conversation(database, *one) for one in wanted]


async def diff_conversations(store: str, run: str, other: str, name: str | None = None) -> ConversationDiff:
    """Compare the newest conversation of two runs, such as a run and its fork; with a name, those of that name.

    Raises:
        RunNotFound, StepNotFound, ConversationLost, ConfigInvalid, StoreUnavailable: see `show_conversations`.
    """
    one = (await show_conversations(store, run, name))[0].entries
    two = (await show_conversations(store, other, name))[0].entries
    same = next((at for at, (left, right) in enumerate(zip(one, two, strict=False)) if left != right), None)
    same = min(len(one), len(two)) if same is None else same
    return ConversationDiff(same=same, one=one[same:], other=two[same:])
