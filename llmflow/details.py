"""Details of an error beyond its message, and the end of a message that knows the right name."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from difflib import get_close_matches
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

__all__ = ["ErrorDetail", "NoRoom", "Remedy", "did_you_mean", "unknown"]

_OfRuns = Literal[
    "list_runs", "list_stuck", "look_at_run", "ask_temporal", "find_bug", "read_ledger", "choose_id", "say_who"
]
_OfPrompts = Literal["push_prompts", "pull_prompt", "keep_text", "read_history", "add_tool", "repeat_effects"]
_OfLabels = Literal["point_label", "drop_label", "end_rollout", "keep_arm", "force"]
_OfSetup = Literal["start_server", "start_worker", "upgrade_store", "add_attributes", "set_key", "name_model"]


class NoRoom(BaseModel):
    """A budget without room for a call, of which a person may be asked for more."""

    model_config = ConfigDict(frozen=True)

    id: str
    """Key of the budget in the store."""
    budget: str
    """Name for people, such as `tenant acme per day`; `run` for that of the run."""
    limit: Decimal
    """US dollars of the limit."""
    call: Decimal
    """US dollars that the call may cost at most."""


class Remedy(BaseModel):
    """Action that would help. Each door words it for its readers: the command line as a command, a page as a link."""

    model_config = ConfigDict(frozen=True)

    action: Literal[_OfRuns, _OfPrompts, _OfLabels, _OfSetup]
    run: str | None = None
    """Workflow id."""
    prompt: str | None = None
    version: str | None = None
    label: str | None = None
    task_queue: str | None = None


class ErrorDetail(BaseModel):
    """Details of an error beyond its message. Every field is optional; none ever holds a secret."""

    model_config = ConfigDict(frozen=True)

    model: str | None = None
    """`provider:model` that was asked."""
    status: int | None = None
    """HTTP status of the vendor's answer."""
    code: str | None = None
    """The vendor's own error code."""
    retry_after: float | None = None
    """Seconds to wait before the same call may succeed."""
    retry: bool | None = None
    """The vendor's own word on a retry; it takes precedence over the class's `retryable`."""
    field: str | None = None
    """Dotted path of the wrong value."""
    billed: dict[str, JsonValue] | None = None
    """Usage and bill that the vendor sent with its error: the fields of `Billed`."""
    answer: str | None = None
    """The model's last answer, as text."""
    size: int | None = None
    """Bytes of a payload that is too large."""
    failures: tuple[str, ...] = ()
    """First failed items of a fan-out or a race, with their errors."""
    compensations: tuple[str, ...] = ()
    """Outcome of each compensation of a saga, a line each."""
    guard: str | None = None
    """Name of the guard that rejected a value."""
    remedy: Remedy | None = None
    """Action that the door showing the error may offer."""
    conversation: str | None = None
    """Head of the conversation of an agent that ended without its answer."""
    cheaper: bool = False
    """True if the next candidate may be asked instead, as the budget says that has no room for this one."""
    no_room: NoRoom | None = None
    """The budget, if it says that a person is asked for more."""
    elsewhere: bool = False
    """True if this worker lacks what the call needs, and another one may have it. Nothing was asked."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean ...?)` with the nearest known name, for the end of a message; empty if none is near."""
    near = get_close_matches(name, list(known), n=1)
    return f" (did you mean `{near[0]}`?)" if near else ""


def unknown(name: str, known: Collection[str]) -> str:
    """Return `'modle' (did you mean `model`?). There is: extra, model`, for the end of a message."""
    return f"{name!r}{did_you_mean(name, known)}. There is: {', '.join(sorted(known)) or 'nothing'}"
