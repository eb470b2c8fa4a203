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
    tags = cast(c.tags, String)  # PostgreSQL does not group JSON
    keys = (c.day, func.coalesce(c.model, c.model_asked), c.tenant, c.workflow_type, c.prompt, tags, c.tier, c.region)
    sums = (func.count(), func.sum(c.input_tokens), func.sum(c.output_tokens))
    query = (
        select(*keys, *sums, *money("usd", c.usd))
        .where(selected(filter, sqlite=database.is_sqlite), c.usd.is_not(None))
        .group_by(*keys)
    )
    rows = await database.read(lambda connection: connection.execute(query).all(), within=PATIENCE)
    found = [
        DailyCost(
            day=row[0],
            model=row[1],
            tenant=row[2],
            workflow=row[3],
            prompt=row[4],
            tags=json.loads(row[5]),
            tier=row[6],
            region=row[7],
            calls=row[8],
            input_tokens=int(row[9]),  # PostgreSQL adds in Decimal
            output_tokens=int(row[10]),
            usd=usd_of(row, "usd"),
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.day, one.model, one.tenant or "", one.workflow, one.prompt, one.tags))
