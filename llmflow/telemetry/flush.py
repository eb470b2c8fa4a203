"""Flush at the end of a process that may have traced. Apart from the tracing itself, which loads the Temporal SDK."""

import sys
import threading

_SECONDS = 3.0


def flush_traces() -> None:
    """Send pending spans, in a process that ends without Python's own clean-up. Waits at most 3 s."""
    if "opentelemetry.trace" not in sys.modules:  # nothing has traced
        return
    from opentelemetry.trace import get_tracer_provider  # not at the top: `llmflow cost` would load it for this alone

    flush = getattr(get_tracer_provider(), "force_flush", None)  # the stand-in has none, and nothing to send
    if flush is not None:
        # In a thread, because the SDK keeps no time limit: an unreachable collector would delay the end of every
        # command.
        sending = threading.Thread(target=flush, daemon=True)
        sending.start()
        sending.join(_SECONDS)
