"""The activity of `flow.complete`: looks into the journal, renders, reserves, calls, prices, records."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

from temporalio import activity

from llmflow.activities.addresses import call_id
from llmflow.activities.budgets import ended, reservation, scopes_of
from llmflow.activities.conversations.threads import OpenThread, Threads, kept_in_history, turn_after
from llmflow.activities.events.calls import deltas
from llmflow.activities.fleet import Fleet
from llmflow.activities.heartbeat import heartbeats
from llmflow.activities.schemas import judge_of, shape_asked
from llmflow.activities.vendors import Vendors, VendorsByApp
from llmflow.errors import ErrorDetail, LLMFlowError, ModelNotFound, StoreUnavailable, ToolNotFound
from llmflow.prompts.prompt import PromptVersion, render
from llmflow.providers.pricing.bounds import limited
from llmflow.providers.pricing.prices import Prices
from llmflow.stores.budgets.reservations import Budgets
from llmflow.stores.ledger.calls import Calls
from llmflow.stores.ledger.rows import ANSWERED, CANCELLED, LOST, REFUSED, REUSED, Call
from llmflow.stores.prompts.registry import Registry
from llmflow.types.base import changed
from llmflow.types.budgets import Scope
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.contracts import COMPLETE
from llmflow.types.messages import told
from llmflow.types.models import Billed, ModelRequest, ModelResponse, OutputSchema
from llmflow.types.providers import Provider
from llmflow.types.refs import ModelRef
from llmflow.types.shapes import Shape
from llmflow.types.texts import one_line
from llmflow.types.tools import ToolSpec
from llmflow.types.urls import masked

MARGIN = timedelta(seconds=10)
"""The provider's client times out this long before the activity, so that no second attempt starts while the first is
still billed, and so that a store that hangs times out before the answer is lost."""

_MAX_NAME = 200
"""Characters of a name that a vendor gives: of its model, of its answer."""

_log = logging.getLogger("llmflow.completions")


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """All that a call needs, found before anything is reserved or asked."""

    provider: Provider
    prices: Prices
    asked: ModelRequest
    scopes: tuple[tuple[Scope, str], ...]
    """Scopes whose budgets cover the call, beside that of its run."""
    judge: Callable[[str], str] | None
    shape: Shape | None
    thread: OpenThread | None
    """The conversation that the call continues."""


class Completions:
    """Calls models. One object per worker; the providers keep their connections."""

    def __init__(
        self,
        registry: Registry,
        vendors: VendorsByApp,
        tools: Mapping[str, ToolSpec],
        calls: Calls,
        budgets: Budgets,
        threads: Threads,
        fleet: Fleet,
    ) -> None:
        self._registry = registry
        self._vendors = vendors
        self._tools = tools
        self._calls = calls
        self._budgets = budgets
        self._threads = threads
        self._fleet = fleet

    @activity.defn(name=COMPLETE.name)
    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Render the pinned prompt, call the model, record usage and cost. A retry reuses a paid answer.

        Raises:
            ProviderError: the vendor refused or failed; see `errors.py` for which may be retried.
            PromptError: this worker does not have the version, or the variables do not fit it.
            InputInvalid: the schema of the answer is not a JSON schema; no model was asked.
            ToolNotFound: the request offers a tool that this worker does not serve.
            BudgetExceeded: a budget has no room for the call; no model was asked.
            StoreUnavailable: the store does not answer; no model was asked.
        """
        call, plan = _call(request), None
        with heartbeats():
            try:
                await self._calls.check()
                if call.id.attempt > 1 and (paid := await self._calls.paid(call.id, call.request_hash)):
                    await self.reused(request, paid)
                    return kept_in_history(paid)
                plan = await self._planned(request, call)
                if request.origin.budget or plan.scopes:
                    call = changed(call, reserved=True)
                    wanted = reservation(call, plan.asked, plan.prices, plan.scopes)
                    await self._budgets.reserve(wanted, lost=_ended(call, LOST, plan).model_dump_json())
                return kept_in_history(await self._ask(request, call, plan))
            except StoreUnavailable as error:
                await self._calls.record_later(_ended(call, type(error).__name__, plan))
                raise
            except LLMFlowError as error:
                if error.detail.elsewhere:  # another worker takes the call, which keeps its address
                    raise
                await self._calls.record(_ended(call, type(error).__name__, plan, error.detail))
                raise
            except asyncio.CancelledError:
                await self._calls.record(_ended(call, CANCELLED, plan))
                raise

    async def reused(self, request: CompletionRequest, answer: CompletionResult) -> None:
        """Record that the calling activity takes an answer that was paid before."""
        await self._calls.record(changed(_call(request), outcome=REUSED, reused_usd=answer.cost.usd))

    async def _planned(self, request: CompletionRequest, call: Call) -> _Plan:
        """Plan the call, and record earlier attempts that left no row: they may have cost as much as this one."""
        if call.id.attempt == 1:  # pricing what none has lost would cost each call a millisecond
            return await self._plan(request, call.at)
        plan = None
        try:
            plan = await self._plan(request, call.at)
            return plan
        finally:
            await self._calls.record_lost(_ended(call, LOST, plan))

    async def _plan(self, request: CompletionRequest, at: datetime) -> _Plan:
        """Find and render all that the call needs."""
        with self._fleet.may_have():
            prompt = await self._registry.get(request.prompt)
            vendors = self._vendors.of(request.prompt.name)
            provider = _provider(vendors, request.model)
            thread = await self._threads.opened(request, request.thread) if request.thread else None
            wanted = thread.asked if thread else request
            names = dict.fromkeys((*prompt.tools, *wanted.tools))
            tools = (*(self._spec(name) for name in names), *(thread.asked.specs if thread else ()))
        output = wanted.output or _schema_of(prompt)
        messages = thread.messages if thread else (*render(prompt, request.variables), *request.messages)
        model = ModelRef.parse(request.model)
        asked = ModelRequest(
            model=model.model,
            messages=told(messages, model.vendor),
            output=output,
            tools=tools,
            options=request.options,
            timeout=_time_for_the_vendor(at),
            tenant=request.origin.tenant,
        )
        entry = vendors.models.providers.get(model.provider)
        scopes = scopes_of(request.origin, self._vendors.app(request.prompt.name), entry and entry.key)
        covered = await self._budgets.covering(scopes)
        return _Plan(
            provider=provider,
            prices=vendors.prices,
            asked=limited(asked, entry and entry.api) if request.origin.budget or covered else asked,
            scopes=covered,
            judge=judge_of(output) if output and output.judged else None,
            shape=shape_asked(output) if output and not output.judged else None,
            thread=thread,
        )

    async def _ask(self, request: CompletionRequest, call: Call, plan: _Plan) -> CompletionResult:
        began = monotonic()
        response = _with_plain_names(await plan.provider.complete(plan.asked, deltas.get()))
        latency = monotonic() - began
        _log.info("%s answered in %.1f s", request.model, latency)
        result = CompletionResult(
            text=response.text,
            model=str(ModelRef(ModelRef.parse(request.model).provider, response.model)),
            usage=response.usage,
            cost=plan.prices.price(request.model, response, call.at),
            finish_reason=response.finish_reason,
            ending=response.ending,
            tool_calls=response.tool_calls,
            mode=response.mode,
            opaque=response.opaque,
            response_id=response.response_id,
            misfit=plan.judge(response.text) if plan.judge and not response.tool_calls else None,
            shape=plan.shape.hash if plan.shape and not response.tool_calls else None,
            fits=_fits(response, plan.shape),
        )
        turn = turn_after(plan.thread, call, result) if plan.thread else None
        if turn and plan.thread:
            result = changed(result, head=turn.head, local=plan.thread.first_local(plan.asked.tools))
        outcome = REFUSED if result.finish_reason == "refused" else ANSWERED
        kept = {
            "outcome": outcome,
            "latency": latency,
            "first_token": response.first_token,
            "result": result,
            "base_url": response.base_url,
            "turn": turn,
            "parts": plan.prices.parts(request.model, response, call.at, result.cost),
        }
        await self._calls.record(changed(call, **kept))
        return result

    def _spec(self, name: str) -> ToolSpec:
        if name not in self._tools:
            known = ", ".join(sorted(self._tools)) or "none"
            raise ToolNotFound(f"this worker does not serve tool {name!r}, only {known}: add it to the App")
        return self._tools[name]


def _provider(vendors: Vendors, model: str) -> Provider:
    name = ModelRef.parse(model).provider
    if name not in vendors.providers:
        known = ", ".join(sorted(vendors.providers)) or "none"
        raise ModelNotFound(f"model {model!r}: this worker has no provider {name!r}; it has {known}")
    return vendors.providers[name]


def _call(request: CompletionRequest) -> Call:
    return Call(
        id=call_id(workflow=request.origin.workflow),
        request_hash=request_hash(request),
        prompt=request.prompt,
        source=request.source,
        origin=request.origin,
        repair=request.repair,
        model_asked=request.model,
        at=datetime.now(UTC),
        outcome=ANSWERED,
    )


def request_hash(request: CompletionRequest) -> str:
    """Hash the request without its origin."""
    asked = request.model_dump_json(exclude={"origin", "source"})
    return hashlib.sha256(asked.encode()).hexdigest()


def _ended(call: Call, outcome: str, plan: _Plan | None, detail: ErrorDetail | None = None) -> Call:
    if plan is None:
        return changed(call, outcome=outcome)
    billed = Billed.model_validate(detail.billed) if detail and detail.billed else None
    return ended(call, outcome, plan.asked, plan.prices, billed)


def _fits(response: ModelResponse, shape: Shape | None) -> bool:
    if response.tool_calls:
        return True
    if response.finish_reason == "unknown":
        return False
    return shape.fits(response.text) if shape else response.finish_reason != "length" and bool(response.text.strip())


def _with_plain_names(response: ModelResponse) -> ModelResponse:
    """Clean the vendor's own names: they stand in search attributes and in databases, which refuse a NUL."""
    names = {"model": response.model, "response_id": response.response_id, "service_tier": response.service_tier}
    cleaned = {field: name and one_line(name)[:_MAX_NAME] for field, name in names.items()}
    return changed(response, **cleaned, base_url=response.base_url and masked(response.base_url))


def _schema_of(prompt: PromptVersion) -> OutputSchema | None:
    return OutputSchema(name="answer", json_schema=dict(prompt.output), judged=True) if prompt.output else None


def _time_for_the_vendor(began: datetime) -> float:
    limit = activity.info().start_to_close_timeout or timedelta(minutes=10)
    whole = max(limit - MARGIN, limit / 2)
    left = whole - (datetime.now(UTC) - began)
    if left < whole / 4:  # a call that is cut off may be billed
        raise StoreUnavailable(
            f"the store was so slow that only {left.total_seconds():.1f} s of {whole.total_seconds():g} s are left "
            "for the model, which was not asked: check the load of the store"
        )
    return left.total_seconds()
