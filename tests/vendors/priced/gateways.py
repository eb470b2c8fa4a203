"""Gateways that send their own bill."""

from decimal import Decimal

from .row import chat, per_million, rule

OPENROUTER = rule(
    "`cost` is what was charged; with the user's own vendor key it is the fee, beside `upstream_inference_cost`",
    "openrouter.ai/docs, Usage accounting",
    {"asked": "openrouter:openai/gpt-5.4", "url": "https://openrouter.ai/api/v1"},
    {"name": "a cost", "usage": chat(194, 2, cost=0.00014), "usd": Decimal("0.00014")},
    {"name": "a cost as text", "usage": chat(194, 2, cost="0.00014"), "usd": Decimal("0.00014")},
    {"name": "free", "usage": chat(194, 2, cost=0), "usd": Decimal(0)},
    {
        "name": "its details",
        "usage": chat(
            194,
            2,
            cost=0.00014,
            is_byok=False,
            cost_details={"upstream_inference_cost": None, "upstream_inference_prompt_cost": 0.0001},
        ),
        "usd": Decimal("0.00014"),
    },
    {
        "name": "one's own key",
        "usage": chat(194, 2, cost=0.95, is_byok=True, cost_details={"upstream_inference_cost": 19}),
        "usd": Decimal("19.95"),
    },
    {
        "name": "one's own key, as the page shows it",
        "usage": chat(194, 2, cost=0.95, cost_details={"upstream_inference_cost": 19}),
        "usd": Decimal("19.95"),
    },
    {
        "name": "one's own key without the vendor's part",
        "usage": chat(194, 2, cost=0.00001, is_byok=True),
        "usd": None,
        "unknown": "cost without its upstream_inference_cost = 1",
    },
    {
        "name": "a bill with searches that are in it",
        "usage": chat(194, 2, cost=0.02, server_tool_use={"web_search_requests": 1}),
        "usd": Decimal("0.02"),
    },
    {
        "name": "a bill of a tier",
        "usage": chat(194, 2, cost=0.0007),
        "answer": {"service_tier": "flex"},
        "usd": Decimal("0.0007"),
    },
    {
        "name": "a stream with the bill in an earlier chunk",
        "usage": None,
        "chunks": ({"usage": chat(194, 2, cost=0.00014)}, {"usage": {"completion_tokens": 2}}),
        "usd": Decimal("0.00014"),
    },
    {
        "name": "no bill",
        "usage": chat(1000, 100),
        "usd": per_million((1000, "2.5"), (100, "15")),
    },
    {
        "name": "an impossible bill",
        "usage": chat(1000, 100, cost=-1),
        "usd": per_million((1000, "2.5"), (100, "15")),
    },
)

OTHERS = rule(
    "DeepInfra estimates the cost of each call in its usage",
    "deepinfra.com/docs, OpenAI API, usage",
    {"asked": "deepinfra:meta-llama/Llama-3.3-70B-Instruct", "url": "https://api.deepinfra.com/v1/openai"},
    {"name": "an estimate", "usage": chat(1000, 100, estimated_cost=0.00027), "usd": Decimal("0.00027")},
)

ROWS = (*OPENROUTER, *OTHERS)
