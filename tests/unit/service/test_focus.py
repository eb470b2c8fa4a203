"""Costs as rows of FOCUS, by the rules of its columns."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from llmflow.service.focus import focus_rows
from llmflow.stores.database import Database
from llmflow.types.reports import CallFilter
from tests.helpers.ledger import call_of, keep

MANDATORY = (
    *("BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd"),
    *("BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd"),
    *("ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity"),
    *("PricingUnit", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName"),
)
"""Columns that version 1.2 calls mandatory."""
NULLABLE = {"BillingAccountName", "ChargeClass", "InvoiceId", "RegionId", "SubAccountId", "Tags"}


async def test_a_charge_is_a_row(tmp_path: Path) -> None:
    last = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    async with Database(str(tmp_path / "ledger.db")) as database:
        await keep(
            database,
            call_of("a", usd="0.0000001", at=last, tenant="acme", tags=("vip", 'a "b"')),
            call_of("b", usd="20", at=last),
        )
        plain, tagged = sorted(await focus_rows(database, CallFilter()), key=lambda row: row["SubAccountId"])
    assert {*MANDATORY} <= plain.keys()
    assert {name for name, value in plain.items() if value == ""} == NULLABLE
    assert {tagged[name] for name in ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")} == {"0.0000001"}
    assert [tagged[name] for name in ("BillingPeriodStart", "BillingPeriodEnd")] == [
        "2026-12-01T00:00:00Z",
        "2027-01-01T00:00:00Z",
    ]
    assert [tagged[name] for name in ("ChargePeriodStart", "ChargePeriodEnd")] == [
        "2026-12-31T00:00:00Z",
        "2027-01-01T00:00:00Z",
    ]
    assert (tagged["PricingQuantity"], tagged["PricingUnit"], tagged["SubAccountId"]) == ("120.0", "Tokens", "acme")
    assert json.loads(tagged["Tags"]) == {"vip": True, 'a "b"': True}
    ours = [name for name in plain if name.startswith("x_")]
    assert [*plain][-len(ours) :] == ours, "columns of our own come last"
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", name.removeprefix("x_")) for name in plain)
