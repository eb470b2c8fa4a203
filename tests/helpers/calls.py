"""Calls of the ledger, for tests."""

from datetime import UTC, datetime
from decimal import Decimal

from llmflow.stores.ledger.rows import ANSWERED, Call, CallId
from llmflow.types.completions import CompletionResult
from llmflow.types.origins import Origin
from llmflow.types.prompts import PromptSource
from llmflow.types.refs import PromptRef
from llmflow.types.usage import Cost, Usage

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def an_answer(text: str = "good day", usd: str | None = "0.0125") -> CompletionResult:
    cost = Cost(usd=Decimal(usd) if usd else None, source="genai-prices 0.2")
    usage = Usage(input_tokens=100, output_tokens=20, cache_read_tokens=40)
    return CompletionResult(text=text, model="openai:gpt-5.4", usage=usage, cost=cost, response_id="resp_1")


def a_call(
    run: str = "run", activity: str = "complete#1", attempt: int = 1, *, outcome: str = ANSWERED, **changes: object
) -> Call:
    """Return an answered call; one without an answer if `outcome` is another one."""
    call = Call(
        id=CallId(workflow_id="w", run_id=run, workflow_type="Greeter", activity_id=activity, attempt=attempt),
        request_hash="hash",
        prompt=PromptRef(name="hello/greet", version="0123456789ab"),
        source=PromptSource(label="production"),
        origin=Origin(tenant="acme", user="ana", tags=("blue", "ünique"), item="C-1042"),
        model_asked="openai:gpt-5.4",
        at=NOON,
        outcome=outcome,
        latency=1.25 if outcome == ANSWERED else None,
        result=an_answer() if outcome == ANSWERED else None,
    )
    return call.model_copy(update=changes)
