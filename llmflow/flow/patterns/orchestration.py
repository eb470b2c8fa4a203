"""Orchestrate: one step plans, workers do what it planned, one step puts it together."""

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
    """Plan the subtasks of a task when it is seen, work on them in parallel, and put the results together.

    Args:
        plan: The subtasks; with none, the results are empty.
        work: Does one of them. The first failure cancels the others and is raised.
        synthesize: Makes the answer of the task and the results, which are in the order of the plan.
        limit: How many subtasks run at once.
        max_tasks: More than these are refused before any of them is paid.

    Raises:
        GuardRejected: raised by the step that this gives: the plan has more than `max_tasks`.
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
