"""Warnings of budgets that people have set: a log line, a counter, and a POST to the webhook of approvals."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from pydantic_core import to_json
from temporalio.client import Client
from temporalio.common import MetricMeter

from llmflow.activities.approvals.webhook import Webhook
from llmflow.errors import NotificationFailed
from llmflow.telemetry.metrics import BUDGET_WARNINGS
from llmflow.types.base import plain
from llmflow.types.budgets import BudgetWarning
from llmflow.types.usage import dollars

_log = logging.getLogger("llmflow.budgets")

_PAUSES = (1.0, 2.0, 4.0)
"""Seconds between attempts to reach the webhook. The store has noted the warning, so no other worker repeats it."""


class BudgetWarnings:
    """Tells people of budgets that are used up in part, or whole."""

    def __init__(self, webhook: Webhook | None) -> None:
        self._webhook = webhook
        self._posting: set[asyncio.Task[None]] = set()
        self._counter = MetricMeter.noop.create_counter(BUDGET_WARNINGS)

    @asynccontextmanager
    async def serving(self, client: Client) -> AsyncGenerator[None]:
        """Count on the metrics of a client, and await the posts of warnings at the end."""
        runtime = client.service_client.config.runtime
        if runtime:
            self._counter = runtime.metric_meter.create_counter(BUDGET_WARNINGS, "Budgets that passed a share.")
        yield
        await asyncio.gather(*self._posting)

    def tell(self, warnings: Sequence[BudgetWarning]) -> None:
        """Log and count warnings, and begin to post them."""
        for warning in warnings:
            _log.warning(
                "budget of %s: %d %% is spent, %s of %s",
                warning,
                warning.percent,
                dollars(warning.spent),
                dollars(warning.usd),
            )
            self._counter.add(1, {"scope": warning.scope, "percent": warning.percent})
            if self._webhook:
                task = asyncio.create_task(_post(self._webhook, warning))
                self._posting.add(task)
                task.add_done_callback(self._posting.discard)


async def _post(webhook: Webhook, warning: BudgetWarning) -> None:
    body = to_json({"event": "budget", **{name: plain(value) for name, value in warning}})
    id = f"msg_{hashlib.sha256(body).hexdigest()[:32]}"
    for pause in (*_PAUSES, None):
        try:
            await webhook.post(id, body)
            return
        except NotificationFailed as error:
            if pause is None or not error.may_pass:
                _log.error("the warning of budget %s was not delivered: %s", warning, error)
                return
            await asyncio.sleep(pause)
