"""Mark that `@workflow.defn` sets on a class and on its `run`; the SDK has no public way to read it."""

from typing import Any


def definition_of(workflow: object) -> Any:  # Any: a private class of the SDK, with name, run_fn and arg_types
    """Return the SDK's definition of a workflow class or of its run method; `None` of anything else, such as a name."""
    return getattr(workflow, "__temporal_workflow_definition", None)


def type_of(workflow: type) -> str | None:
    """Return the workflow type that a class is registered as; `None` for a dynamic workflow."""
    name: str | None = definition_of(workflow).name
    return name
