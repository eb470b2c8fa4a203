"""How people learn of a question: the webhook of the workers is told beside the waiting, which it never holds up."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError

from llmflow.errors import LLMFlowError
from llmflow.flow.execute import HEARTBEAT_TIMEOUT, execute
from llmflow.flow.run import CurrentRun
from llmflow.flow.run.questions import command
from llmflow.types.approvals import Event, Notification, ReachRequest
from llmflow.types.calls import CallOptions
from llmflow.types.contracts import NOTIFY, REACH

A_DAY = timedelta(days=1)


async def reach(run: CurrentRun) -> None:
    """Learn how people are reached: asked once, then the same to the end of the run and of those that continue it.

    Not by a local activity, which would cost less: Temporal may replay its end before a signal or an update that came
    first, and whoever decides early would get the run stuck.
    """
    # Parallel first questions ask once; with the lock of the pins, because open runs were recorded so.
    async with run.pins.resolving:
        if run.approvals.reach is None:
            _, found = await execute(REACH, ReachRequest(origin=run.origin), verb="reach", options=_persistent())
            run.approvals.reached(found)
            run.visibility.know(found.attributes)


def _persistent() -> CallOptions:
    return CallOptions(start_to_close_timeout=timedelta(seconds=10), retry_policy=RetryPolicy(maximum_attempts=1_000))


class Notices:
    """Notifications of one question."""

    def __init__(self, run: CurrentRun, name: str) -> None:
        self._run = run
        self._name = name
        self._sending: list[asyncio.Task[None]] = []

    @property
    def reach_people(self) -> bool:
        """Whether anyone is notified."""
        reached = self._run.approvals.reach
        return reached is not None and reached.webhook

    def send(self, event: Event) -> None:
        """Begin to tell what has happened. What cannot be told within a day is not told."""
        if self.reach_people:
            info, question = workflow.info(), self._run.approvals.told(self._name)
            notification = Notification(
                event=event,
                run=info.workflow_id,
                workflow=self._run.workflow_type,
                question=question,
                origin=self._run.origin,
                command=command(question) if question.status == "open" else None,
            )
            self._sending.append(asyncio.create_task(self._deliver(notification)))

    def stop(self) -> None:
        """Give up on what has not been told yet: the question is closed."""
        for task in self._sending:
            task.cancel()

    async def _deliver(self, notification: Notification) -> None:
        with suppress(ActivityError, LLMFlowError):  # history shows it, and the question is asked all the same
            payload = workflow.payload_converter().to_payloads([notification])[0]
            await self._run.admission.admit(payload.ByteSize())
            await workflow.execute_activity(
                NOTIFY.name,
                RawValue(payload),
                result_type=NOTIFY.output,
                activity_id=self._run.steps.address("notify"),
                summary=f"{notification.event}: {notification.question.name}",
                schedule_to_close_timeout=A_DAY,
                start_to_close_timeout=timedelta(minutes=1),
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=10)),
            )
