"""Notifications of questions: the run calls the workers' webhook while it waits for the decision, never before."""

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
    """Get the notification settings: once, then fixed for the run, continue-as-new included.

    A local activity would cost less, but Temporal may replay its completion before a signal or update that arrived
    earlier, so an early decision would make the replay fail and block the run.
    """
    # Parallel first questions ask once. They use the lock of the pins, because histories were recorded with it.
    async with run.pins.resolving:
        if run.approvals.reach is None:
            _, found = await execute(REACH, ReachRequest(origin=run.origin), verb="reach", options=persistent())
            run.approvals.reached(found)
            run.visibility.know(found.attributes)


def persistent() -> CallOptions:
    """Return the options of a call for which a question waits, whatever happens."""
    return CallOptions(start_to_close_timeout=timedelta(seconds=10), retry_policy=RetryPolicy(maximum_attempts=1_000))


class Notices:
    """Notifications of one question."""

    def __init__(self, run: CurrentRun, name: str) -> None:
        self._run = run
        self._name = name
        self._sending: list[asyncio.Task[None]] = []

    @property
    def reach_people(self) -> bool:
        """True if workers have a webhook."""
        reached = self._run.approvals.reach
        return reached is not None and reached.webhook

    def send(self, event: Event) -> None:
        """Start to notify of an event; give up after a day."""
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
        """Cancel in-flight notifications, because the question is closed."""
        for task in self._sending:
            task.cancel()

    async def _deliver(self, notification: Notification) -> None:
        with suppress(ActivityError, LLMFlowError):  # history shows it, and the question stays open
            payload, size = self._run.admission.measured(notification)
            await self._run.admission.admit(size)
            await workflow.execute_activity(
                NOTIFY.name,
                RawValue(payload),
                result_type=NOTIFY.output,
                activity_id=self._run.steps.address("notify"),
                task_queue=self._run.calls_queue,
                summary=f"{notification.event}: {notification.question.name}",
                schedule_to_close_timeout=A_DAY,
                start_to_close_timeout=timedelta(minutes=1),
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=10)),
            )
