"""Known costs of the ledger, added up by day and by all that decides who pays them."""

import json
from collections.abc import Sequence

from sqlalchemy import String, cast, func, select

from llmflow.stores.database import PATIENCE, Database
from llmflow.stores.reports.selection import selected
from llmflow.stores.reports.sums import money, usd_of
from llmflow.stores.schema import calls
from llmflow.types.reports import CallFilter, DailyCost


async def daily_costs(database: Database, filter: CallFilter) -> Sequence[DailyCost]:
    """Return the daily costs of the selected calls, the oldest first. Calls without a known price are in none.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    c = calls.c
    keys = {
        "day": c.day,
        "model": func.coalesce(c.model, c.model_asked),
        "tenant": c.tenant,
        "workflow": c.workflow_type,
        "prompt": c.prompt,
        "tags": cast(c.tags, String),  # PostgreSQL does not group JSON
        "tier": c.tier,
        "region": c.region,
    }
    sums = {
        "calls": func.count(),
        "input_tokens": func.sum(c.input_tokens),
        "output_tokens": func.sum(c.output_tokens),
    }
    named = {**keys, **sums}
    query = (
        select(*(column.label(name) for name, column in named.items()), *money("usd", c.usd))
        .where(selected(filter, sqlite=database.is_sqlite), c.usd.is_not(None))
        .group_by(*keys.values())
    )
    rows = await database.read(lambda connection: connection.execute(query).all(), within=PATIENCE)
    found = [
        DailyCost.model_validate(
            {
                **{name: getattr(row, name) for name in named},
                "tags": json.loads(row.tags),
                "usd": usd_of(row, "usd"),
            }
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.day, one.model, one.tenant or "", one.workflow, one.prompt, one.tags))
