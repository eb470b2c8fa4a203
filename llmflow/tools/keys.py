"""What a tool tells the other side, so that the same thing is not done twice."""

from contextvars import ContextVar

from llmflow.errors import ConfigInvalid

key: ContextVar[str] = ContextVar("llmflow_idempotency_key")
"""Of the activity that runs here. The worker sets it; sync tools run in a copy of the context."""


def idempotency_key() -> str:
    """The name of the one effect that this call shall have, for tools and other activities to hand to the other side.

    It stays the same however often the call is tried. Every call has a key of its own, with one exception: an action
    of a saga and its compensation share one, so the compensation can say what it undoes, whether or not the action
    came to an end.

    Returns:
        Text of some 100 characters, with `/` and `#` in it. Hash it for systems that want less.

    Raises:
        ConfigInvalid: no activity of a llmflow worker runs here.
    """
    try:
        return key.get()
    except LookupError:
        raise ConfigInvalid(
            "idempotency_key() is known to tools and activities that a worker of llmflow runs, and none runs here: "
            "for a call without Temporal, let the function that does the work take the key as an argument"
        ) from None
