"""One attempt of a call, as a row of the ledger."""

import json
from datetime import UTC, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from llmflow.errors import AnswerLost, AnswerUnreadable
from llmflow.stores.budgets.settling import Charge
from llmflow.stores.conversations.turns import Turn
from llmflow.stores.texts import storable
from llmflow.types.completions import CompletionResult
from llmflow.types.origins import Origin
from llmflow.types.prompts import PromptSource
from llmflow.types.refs import PromptRef
from llmflow.types.usage import Cost, CostParts, Usage

ANSWERED, REFUSED, LOST, CANCELLED, REUSED = "answered", "refused", "lost", "cancelled", "reused"
CHARGED = "charged"
"""Outcome of a row that is no call of a model: what a tool cost."""
MAYBE_BILLED = (LOST, CANCELLED, AnswerLost.__name__, AnswerUnreadable.__name__)
"""Outcomes without an answer for which the vendor may bill an unknown amount: the request was sent, or may have been.
Any other failure counts as free."""


class CallId(BaseModel):
    """Address of a call in Temporal: its run, its activity, and its attempt."""

    model_config = ConfigDict(frozen=True)

    workflow_id: str
    run_id: str
    workflow_type: str
    activity_id: str
    attempt: int


class Call(BaseModel):
    """One attempt of one call, as the ledger stores it."""

    model_config = ConfigDict(frozen=True)

    id: CallId
    request_hash: str
    prompt: PromptRef
    source: PromptSource
    origin: Origin
    repair: int = 0
    """Number of earlier answers that did not fit the type."""
    model_asked: str
    """`provider:model`."""
    at: datetime
    """Start of the attempt."""
    outcome: str
    """`answered`, `refused` by the model, `cancelled`, `lost` with its worker, `reused`, or the class of the error."""
    latency: float | None = None
    """Seconds from the request to the whole answer; `None` if no answer came."""
    first_token: float | None = None
    """Seconds from the request to the first token; `None` if the answer came in one piece."""
    result: CompletionResult | None = None
    base_url: str | None = None
    """Source of the answer, by which a later price list finds the vendor again."""
    usage: Usage = Usage()
    cost: Cost | None = None
    """Usage and cost that the vendor reported with its error, for a call without an answer."""
    reserved: bool = False
    """True if a budget holds money for it."""
    low_usd: Decimal | None = None
    """US dollars that a call without an answer may have cost at least: its input."""
    high_usd: Decimal | None = None
    """US dollars that it may have cost at most; `None` if unknown."""
    turn: Turn | None = None
    """Entries that it appends to a conversation."""
    parts: CostParts = CostParts()
    """Parts of the cost of its answer."""
    reused_usd: Decimal | None = None
    """US dollars that a recorded answer cost which was taken instead of a new one; `None` if unknown."""


def charge_of(call: Call) -> Charge:
    """Amount that its budgets pay; unknown if it has an answer without a price, or none that may be billed."""
    free = None if call.outcome in MAYBE_BILLED else Decimal(0)
    cost = call.result.cost if call.result else call.cost
    return Charge(
        run_id=call.id.run_id,
        activity_id=call.id.activity_id,
        attempt=call.id.attempt,
        usd=cost.usd if cost else free,
    )


def key_of(call: Call) -> tuple[str, str, int]:
    """Return the primary key of its row."""
    return call.id.run_id, call.id.activity_id, call.id.attempt


def line_of(call: Call) -> str:
    """Return JSON that can also hold half a surrogate pair, for which pydantic's own raises."""
    return json.dumps(call.model_dump(mode="json"))


def row_of(call: Call) -> dict[str, object]:
    """Return its row of the table `calls`."""
    result = call.result
    cost = result.cost if result else call.cost
    usage = result.usage if result else call.usage
    row = {
        **call.id.model_dump(),
        **usage.__dict__,
        "root_id": call.origin.root or call.id.workflow_id,
        "request_hash": call.request_hash,
        "outcome": call.outcome,
        "prompt": call.prompt.name,
        "version": call.prompt.version,
        "label": call.source.label,
        "arm": call.source.arm,
        "model_asked": call.model_asked,
        "model": result.model if result else None,
        "response_id": result.response_id if result else None,
        "base_url": call.base_url,
        "repair": call.repair,
        "at": call.at,
        "day": call.at.astimezone(UTC).date(),
        "latency_ms": _milliseconds(call.latency),
        "first_token_ms": _milliseconds(call.first_token),
        "usd": cost.usd if cost else None,
        "low_usd": call.low_usd,
        "high_usd": call.high_usd,
        "price_source": cost.source if cost else None,
        "price_matched": cost.matched if cost else None,
        "price_date": cost.price_date if cost else None,
        "tier": cost.tier if cost else None,
        "region": cost.region if cost else None,
        "tenant": call.origin.tenant,
        "user_id": call.origin.user,
        "item": call.origin.item,
        "answer_mode": result.mode if result else None,
        **call.parts.__dict__,
        "reused_usd": call.reused_usd,
        "fork_of": call.origin.fork_of,
        "tags": [storable(tag) for tag in call.origin.tags],
    }
    return {name: storable(value) if isinstance(value, str) else value for name, value in row.items()}


def answer_of(call: Call) -> dict[str, object]:
    """Return its row of the table `answers`, the journal."""
    return {
        "run_id": call.id.run_id,
        "activity_id": call.id.activity_id,
        "request_hash": call.request_hash,
        "result": call.result.model_dump_json() if call.result else "",
        "at": call.at,
    }


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
