"""What a run hands on: to its children, and to the run that continues it."""

from llmflow.types.origins import Origin
from llmflow.types.prompts import Pins
from llmflow.types.usage import UsageReport
from llmflow.types.wire import CompactWire

HEADER = "llmflow"
"""The Temporal header that holds it."""


class Carried(CompactWire):
    """In the header of a child's or a continued run's start, so that no user code has to hand it on."""

    origin: Origin = Origin()
    pins: Pins = Pins(prompts={}, models={})
    usage: UsageReport | None = None
    """Totals so far, for a run that continues; `None` for a child, which counts its own."""
