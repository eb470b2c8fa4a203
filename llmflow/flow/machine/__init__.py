"""State machines: an enum of states, and a method for each state that returns the next one."""

from llmflow.flow.machine.machine import Finished, Machine, step

__all__ = ["Finished", "Machine", "step"]
