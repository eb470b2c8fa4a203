"""Orchestrate: one step plans subtasks, one works on each, one combines the results."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from llmflow.errors import ErrorDetail, GuardRejected
from llmflow.flow.branches.fan_out import fan_out
from llmflow.flow.functions import name_of
from llmflow.flow.patterns.steps import Out, Step, take

Task = TypeVar("Task")
Subtask = TypeVar("Subtask")
Result = TypeVar("Result")


def orchestrate(
    plan: Step[Task, Sequence[Subtask]],
    work: Step[Subtask, Result],
    synthesize: Callable[[Task, Sequence[Result]], Awaitable[Out]],
    *,
    limit: int = 8,
    max_tasks: int = 20,
) -> Step[Task, Out]:
    """Make a step that plans the subtasks of a task, works on them in parallel, and combines the results.

    Args:
        plan: Returns the subtasks, maybe none.
        work: Works on one subtask. The first failure cancels the others and is raised.
        synthesize: Makes the answer from the task and the results, in the order of the plan.
        limit: Limit of concurrent subtasks.
        max_tasks: Upper limit of subtasks; a longer plan is refused before any subtask is paid.

    Raises:
        GuardRejected: raised by the step: the plan has more than `max_tasks`.
    """

    async def orchestrate(task: Task) -> Out:
        subtasks = await take(plan, task)
        if len(subtasks) > max_tasks:
            raise GuardRejected(
                f"`{name_of(plan)}` plans {len(subtasks)} tasks, at most {max_tasks}: say so in its prompt, bound the"
                " list in its output type, or raise max_tasks",
                ErrorDetail(guard="max_tasks"),
            )

        results = await fan_out(subtasks, work, limit=limit)
        return await take(synthesize, task, results.values)

    return orchestrate
