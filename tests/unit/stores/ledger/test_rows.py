"""Rows of the ledger."""

from decimal import Decimal

from sqlalchemy import select

from llmflow.stores.database import Database
from llmflow.stores.schema import calls
from llmflow.types.base import changed
from llmflow.types.usage import COUNTS, CostParts
from tests.helpers.calls import NOON, a_call, an_answer
from tests.helpers.ledger import keep


async def test_a_row_says_everything_of_its_call(database: Database) -> None:
    answer, input = changed(an_answer(), mode="tool"), Decimal("0.01")
    parts = CostParts(input_usd=input, output_usd=Decimal("0.0025"), tier_saved_usd=Decimal("-0.5"))
    await keep(
        database, a_call(base_url="https://api.openai.com/v1", repair=1, first_token=0.25, result=answer, parts=parts)
    )
    [row] = await database.read(lambda connection: connection.execute(select(calls)).all())
    assert row._asdict() == {  # pyright: ignore[reportPrivateUsage]  public in SQLAlchemy, as in namedtuples
        "run_id": "run",
        "activity_id": "complete#1",
        "attempt": 1,
        "workflow_id": "w",
        "root_id": "w",
        "workflow_type": "Greeter",
        "request_hash": "hash",
        "outcome": "answered",
        "prompt": "hello/greet",
        "version": "0123456789ab",
        "label": "production",
        "arm": None,
        "model_asked": "openai:gpt-5.4",
        "model": "openai:gpt-5.4",
        "response_id": "resp_1",
        "base_url": "https://api.openai.com/v1",
        "repair": 1,
        "at": NOON,
        "day": NOON.date(),
        "latency_ms": 1250,
        "first_token_ms": 250,
        **dict.fromkeys(COUNTS, 0),
        "input_tokens": 100,
        "output_tokens": 20,
        "cache_read_tokens": 40,
        "unread": {},
        "region": None,
        "low_usd": None,
        "high_usd": None,
        "usd": Decimal("0.0125"),
        "price_source": "genai-prices 0.2",
        "price_matched": None,
        "price_date": None,
        "tier": None,
        "repriced_usd": None,
        "repriced_source": None,
        "tenant": "acme",
        "user_id": "ana",
        "item": "C-1042",
        "answer_mode": "tool",
        "input_usd": Decimal("0.01"),
        "output_usd": Decimal("0.0025"),
        "cache_saved_usd": None,
        "tier_saved_usd": Decimal("-0.5"),
        "reused_usd": None,
        "fork_of": None,
        "tags": ["blue", "ünique"],
    }
