"""A ledger with calls in it, written as a worker writes it."""

import asyncio
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from llmflow.stores.database import Database
from llmflow.stores.ledger.calls import Calls
from llmflow.stores.ledger.outbox import Outbox
from llmflow.stores.ledger.rows import ANSWERED, REFUSED, Call
from llmflow.types.origins import Origin
from llmflow.types.refs import PromptRef
from llmflow.types.usage import Cost
from tests.helpers.calls import NOON, a_call, an_answer


async def keep(database: Database, *calls: Call) -> None:
    with TemporaryDirectory() as folder:
        ledger = Calls(database, Outbox(Path(folder)))
        await asyncio.gather(*(ledger.record(call) for call in calls))


def call_of(
    run: str,
    activity: str = "complete#1",
    *,
    usd: str | None = "0.01",
    outcome: str = ANSWERED,
    version: str = "aaaaaaaaaaaa",
    answered: str = "openai:gpt-5.4",
    source: str = "genai-prices 0.2",
    root: str | None = None,
    tenant: str | None = None,
    tags: tuple[str, ...] = (),
    attempt: int = 1,
    **changes: object,
) -> Call:
    """Return a call of the run with this workflow id, at noon of July 1st."""
    cost = Cost(usd=None if usd is None else Decimal(usd), source=source)
    result = an_answer().model_copy(update={"model": answered, "cost": cost})
    call = a_call(
        f"run of {run}",
        activity,
        attempt,
        outcome=outcome,
        result=result if outcome in (ANSWERED, REFUSED) else None,
        prompt=PromptRef(name="hello/greet", version=version),
        origin=Origin(root=root, tenant=tenant, tags=tags),
        at=NOON,
    )
    return call.model_copy(update={"id": call.id.model_copy(update={"workflow_id": run}), **changes})
