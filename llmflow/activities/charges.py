"""Records the charges of tools: in the ledger, in budgets, and in the totals of the run."""

import logging
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from llmflow.activities.addresses import call_id
from llmflow.activities.budgets import scopes_of
from llmflow.activities.forks.histories import Histories
from llmflow.errors import StoreUnavailable
from llmflow.stores.budgets.reservations import Budgets, Reservation
from llmflow.stores.ledger.calls import Calls
from llmflow.stores.ledger.rows import CHARGED, Call, line_of
from llmflow.tools.charges import ToolCharge, charges
from llmflow.types.base import changed
from llmflow.types.budgets import Budget, Scope
from llmflow.types.contracts import BUDGET, FORKED, KEY, RUN, SPENT, TAGS, TENANT, USER
from llmflow.types.origins import Origin
from llmflow.types.prompts import PromptSource
from llmflow.types.refs import PromptRef
from llmflow.types.usage import Cost, Totals, UsageReport

_log = logging.getLogger("llmflow.tools")

_SOON = timedelta(minutes=1)
"""Time until another worker records a charge whose worker died between the budgets and the ledger."""


class Charges(Interceptor):
    """Interceptor that records what activities have charged. Reused results of forks charge nothing."""

    def __init__(self, histories: Histories, calls: Calls, budgets: Budgets) -> None:
        self._histories = histories
        self._calls = calls
        self._budgets = budgets

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See base class."""
        return _Charging(next, self)

    async def record(self, made: list[ToolCharge], *, in_run: bool) -> None:
        """Record the charges of the calling activity. The run hears of them before it has the result.

        Args:
            made: The charges.
            in_run: True if the run of the activity counts its usage.
        """
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for one in made:
            sums[one.what] += one.usd
        client, info = self._histories.client, activity.info()
        try:
            origin = await _origin(client)
        except Exception as error:  # of any class: the tool has done its work, which a retry would repeat
            _log.error("charges of %s have no tenant, tags and budget: %s", info.activity_id, error)
            origin = Origin()
        for what, usd in sums.items():
            await self._book(_call(origin, what, usd))
        if not in_run or not info.workflow_id:
            return
        by_model = {_model(what): Totals(usd=usd) for what, usd in sums.items()}
        usage = UsageReport(total=Totals(usd=sum(sums.values(), Decimal(0))), by_model=by_model)
        run = client.get_workflow_handle(info.workflow_id, run_id=info.workflow_run_id)
        try:
            await run.signal(SPENT.name, usage)
        except RPCError as error:  # the run is closed
            _log.warning("run %s does not count %s: %s", info.workflow_id, usage.total.usd, error)

    async def _book(self, call: Call) -> None:
        covered = ()
        try:
            covered = await self._budgets.covering(scopes_of(call.origin, "", None))
            if call.origin.budget or covered:
                call = changed(call, reserved=True)
                await self._budgets.hold(_reservation(call, covered), lost=line_of(call))
        except StoreUnavailable as error:
            _log.error("budgets do not count a charge of %s: %s", call.id.activity_id, error.message)
            await self._calls.record_later(call)
            return
        await self._calls.record(call)


class _Charging(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, recorder: Charges) -> None:
        super().__init__(next)
        self._recorder = recorder

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # Any: the activity's own result
        made: list[ToolCharge] = []
        charges.set(made)  # never reset: each activity runs in its own task
        try:
            return await super().execute_activity(input)
        finally:
            if made:
                await self._recorder.record(made, in_run=bool({RUN.name, KEY.name} & {*input.headers}))


def _model(what: str) -> str:
    return f"tool:{activity.info().activity_type}/{what}"


def _call(origin: Origin, what: str, usd: Decimal) -> Call:
    return Call(
        id=call_id(part=what),
        request_hash="",
        prompt=PromptRef(name="", version=""),
        source=PromptSource(),
        origin=origin,
        model_asked=_model(what),
        at=datetime.now(UTC),
        outcome=CHARGED,
        cost=Cost(usd=usd, source="tool"),
    )


def _reservation(call: Call, scopes: tuple[tuple[Scope, str], ...]) -> Reservation:
    usd = call.cost.usd if call.cost and call.cost.usd else Decimal(0)
    return Reservation(
        run=call.origin.root or call.id.workflow_id,
        run_id=call.id.run_id,
        activity_id=call.id.activity_id,
        attempt=call.id.attempt,
        model=call.model_asked,
        budget=call.origin.budget,
        scopes=scopes,
        usd=usd,
        least=usd,
        lasts=_SOON,
    )


async def _origin(client: Client) -> Origin:
    """Read the origin of the activity's run from the memo of its root run: activities of tools are not told."""
    info = activity.info()
    if not info.workflow_id:
        return Origin()
    own = await client.get_workflow_handle(info.workflow_id, run_id=info.workflow_run_id).describe()
    root = own.raw_description.workflow_execution_info.root_execution
    is_child = root.workflow_id not in ("", info.workflow_id)
    top = await client.get_workflow_handle(root.workflow_id, run_id=root.run_id).describe() if is_child else own
    memo: Mapping[str, Any] = await top.memo()  # Any: JSON
    budget = Budget.model_validate(memo[BUDGET.name]) if BUDGET.name in memo else None
    forked = memo.get(FORKED.name)
    return Origin(
        root=root.workflow_id if is_child else None,
        tenant=memo.get(TENANT.name),
        user=memo.get(USER.name),
        tags=tuple(memo.get(TAGS.name) or ()),
        budget=budget and changed(budget, id=await _budget_of(client, top)),
        fork_of=forked and forked["workflow_id"],
    )


async def _budget_of(client: Client, root: WorkflowExecutionDescription) -> str:
    """Return the id of the budget of a root run: runs of a cron schedule do not share one."""
    handle = client.get_workflow_handle(root.id, run_id=root.run_id)
    async for event in handle.fetch_history_events(page_size=1):
        if event.workflow_execution_started_event_attributes.cron_schedule:
            return root.run_id
        break
    return root.raw_description.workflow_execution_info.first_run_id or root.run_id
