"""Starts of runs by the name of their workflow."""

import secrets

from pydantic import BaseModel, ConfigDict
from temporalio.common import Priority

from llmflow.app import App
from llmflow.client import StartOptions
from llmflow.client.served import ServedWorkflows
from llmflow.service.connections import Connection
from llmflow.service.inputs import Workflow
from llmflow.types.runs import RunStatus

_CALM = (
    "brave bright calm clear cosy crisp eager fair fresh gentle glad keen kind lucky mellow merry neat plain quiet wise"
)
_BEASTS = (
    "badger bear bison crane deer dove falcon finch fox hare heron horse lark lynx moose otter owl puffin seal wren"
)


class Started(BaseModel):
    """Run that a start has named."""

    model_config = ConfigDict(frozen=True)

    id: str
    run_id: str
    workflow: str
    task_queue: str
    new: bool
    """False if the id named an existing run: then nothing was started."""
    url: str | None


def readable_id(app: App) -> str:
    """Return a new id that a person can say, such as `research-calm-otter-7f3a`."""
    words = (secrets.choice(words.split()) for words in (_CALM, _BEASTS))
    return "-".join((app.name, *words, secrets.token_hex(2)))


def priority(key: int) -> Priority:
    """Priority of a run among those that wait for busy workers: 1 goes first, 5 last."""
    return Priority(priority_key=key)


async def start(
    connection: Connection, kind: Workflow, arguments: tuple[object, ...], options: StartOptions
) -> tuple[Started, RunStatus]:
    """Start a run, or find the one that an earlier start of the same id and input has begun.

    Raises:
        RunExists: a run of this id began with another workflow or input.
        InputInvalid: the worker of the task queue runs other code than this, which has no such workflow.
        PayloadTooLarge: the input does not fit Temporal; nothing was started.
    """
    client = connection.client
    if queue := options.get("task_queue", client.task_queue):
        await ServedWorkflows(client.store, client.temporal.namespace).check(queue, kind.name)
    run = await client.start(kind.method, *arguments, **options)
    status = await run.status()
    new = run.handle.first_execution_run_id is not None  # only a start tells
    started = Started(
        id=status.id,
        run_id=status.run_id,
        workflow=status.workflow,
        task_queue=status.task_queue,
        new=new,
        url=connection.link(status.id, status.run_id),
    )
    return started, status
