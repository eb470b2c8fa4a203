"""Costs in FOCUS, the FinOps Open Cost and Usage Specification, for tools that add up the bills of all vendors.

Columns and values are those of version 1.2 (github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec, tag v1.2). A row is
a `DailyCost`. There are no unit prices: one call has several. Of the rules of `focus-validator` 2.2 that apply, all
pass but one of InvoiceId, which the validator wants to be null and not null at once.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from llmflow.stores.database import Database
from llmflow.stores.reports.daily_costs import daily_costs
from llmflow.types.refs import ModelRef
from llmflow.types.reports import CallFilter, DailyCost

VERSION = "1.2"

Row = Mapping[str, str]
"""Values by column; an empty text is null."""


async def focus_rows(database: Database, filter: CallFilter) -> Sequence[Row]:
    """Return the selected calls as rows of FOCUS. Calls without a known price are in none.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    return [_row(spent) for spent in await daily_costs(database, filter)]


def _row(spent: DailyCost) -> Row:
    model = ModelRef.parse(spent.model)
    month = spent.day.replace(day=1)
    cost = format(spent.usd, "f")
    tokens = f"{spent.input_tokens + spent.output_tokens}.0"  # a decimal, also for who guesses types from the text
    sku = ", ".join(part for part in (spent.model, spent.tier, spent.region) if part)
    return {
        "BilledCost": cost,
        "BillingAccountId": model.provider,
        "BillingAccountName": "",
        "BillingCurrency": "USD",
        "BillingPeriodEnd": _moment((month + timedelta(days=32)).replace(day=1)),
        "BillingPeriodStart": _moment(month),
        "ChargeCategory": "Usage",
        "ChargeClass": "",
        "ChargeDescription": f"{spent.calls} {'charges' if model.provider == 'tool' else 'completions'} of {sku}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": _moment(spent.day + timedelta(days=1)),
        "ChargePeriodStart": _moment(spent.day),
        "ConsumedQuantity": tokens,
        "ConsumedUnit": "Tokens",
        "ContractedCost": cost,
        "EffectiveCost": cost,
        "InvoiceId": "",  # the ledger does not know the vendor's invoice
        "InvoiceIssuerName": model.provider,
        "ListCost": cost,
        "PricingCategory": "Standard",
        "PricingQuantity": tokens,
        "PricingUnit": "Tokens",
        "ProviderName": model.provider,
        "PublisherName": model.provider,
        "RegionId": spent.region or "",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": model.provider,
        "ServiceSubcategory": "Generative AI",
        "SkuId": spent.model,
        "SkuPriceId": sku,
        "SubAccountId": spent.tenant or "",
        "Tags": json.dumps(dict.fromkeys(spent.tags, True), ensure_ascii=False) if spent.tags else "",
        "x_InputTokens": str(spent.input_tokens),
        "x_OutputTokens": str(spent.output_tokens),
        "x_Prompt": spent.prompt,
        "x_Workflow": spent.workflow,
    }


def _moment(day: date) -> str:
    return datetime.combine(day, time.min, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
