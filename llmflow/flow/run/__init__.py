"""State of a run: a `CurrentRun` for each workflow instance that uses llmflow, with a part for each feature."""

from llmflow.flow.run.code import Code
from llmflow.flow.run.conversations import Talk
from llmflow.flow.run.host import Host
from llmflow.flow.run.instance import Instance, current
from llmflow.flow.run.part import Part
from llmflow.flow.run.pins import Pin
from llmflow.flow.run.run import CurrentRun
from llmflow.flow.run.scope import AnyTask, batch, effect, elsewhere, held, kept, key, label, path, this_task, undoing

__all__ = [
    "AnyTask",
    "Code",
    "CurrentRun",
    "Host",
    "Instance",
    "Part",
    "Pin",
    "Talk",
    "batch",
    "current",
    "effect",
    "elsewhere",
    "held",
    "kept",
    "key",
    "label",
    "path",
    "this_task",
    "undoing",
]
