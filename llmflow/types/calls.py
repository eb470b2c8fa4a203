"""How Temporal should run a call: one options object for every verb."""

from datetime import timedelta

from pydantic import Field

from llmflow.types.wire import Wire


class CallOptions(Wire):
    """Limits of one activity. The defaults suit a reasoning model. A retry waits 1, 2, 4 s, or what the vendor says."""

    timeout: timedelta = timedelta(minutes=10)
    """Of one attempt, from start to end. The client of a provider gives up a little earlier."""
    attempts: int = Field(default=4, ge=1)
    """At most this many, before the failure reaches the workflow (or the next candidate model)."""
