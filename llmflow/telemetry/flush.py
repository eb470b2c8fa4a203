"""The end of a process that may have traced. Apart from the tracing itself, which loads the Temporal SDK."""

import sys
import threading

_SECONDS = 3.0


def flush_traces() -> None:
    """Send what is not sent yet: for a process that ends without Python's own clean-up. Waits at most 3 s."""
    if "opentelemetry.trace" not in sys.modules:  # nobody has traced
        return
    from opentelemetry.trace import get_tracer_provider  # not at the top: `llmflow cost` would load it for this alone

    flush = getattr(get_tracer_provider(), "force_flush", None)  # the stand-in has none, and nothing to send
    if flush is not None:
        # In a thread, because the SDK keeps no time limit: a collector that is away would hold up every command.
        sending = threading.Thread(target=flush, daemon=True)
        sending.start()
        sending.join(_SECONDS)
