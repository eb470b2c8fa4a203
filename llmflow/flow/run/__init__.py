"""One run's state: a `Run` for each workflow instance that uses llmflow, and a part in it for each feature."""

from llmflow.flow.run.instance import Instance, current
from llmflow.flow.run.part import Part
from llmflow.flow.run.pins import Pin
from llmflow.flow.run.run import Run
from llmflow.flow.run.scope import AnyTask, batch, key, path, this_task

__all__ = ["AnyTask", "Instance", "Part", "Pin", "Run", "batch", "current", "key", "path", "this_task"]
