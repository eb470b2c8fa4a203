"""State machines: an enum of states, and a method for each that returns the next state."""

from llmflow.flow.machine.machine import Finished, Machine, step

__all__ = ["Finished", "Machine", "step"]
