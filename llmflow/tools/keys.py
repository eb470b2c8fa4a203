"""Idempotency keys for tools: a called system uses them to do the same thing only once."""

from contextvars import ContextVar

from llmflow.errors import ConfigInvalid

key: ContextVar[str] = ContextVar("llmflow_idempotency_key")
"""Key of the running activity. The worker sets it; sync tools run in a copy of the context."""


def idempotency_key() -> str:
    """Return the idempotency key of this call, for tools and other activities to pass to the system they call.

    All attempts of a call have the same key, also if the run is reset in between. Every call has its own key, except
    that an action of a saga and its compensation share one, so that the compensation can find the effect even if the
    action did not return.

    Returns:
        Text of some 100 characters, more in a child of a child, with `/` and `#`. Hash it for systems with shorter
        keys.

    Raises:
        ConfigInvalid: called outside of an activity of an llmflow worker.
    """
    try:
        return key.get()
    except LookupError:
        raise ConfigInvalid(
            "idempotency_key() works only in tools and activities on an llmflow worker: for a call without Temporal, "
            "let the function that does the work take the key as an argument"
        ) from None
