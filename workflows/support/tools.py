"""The tools of customer support."""

from difflib import get_close_matches
from pathlib import Path

from llmflow.config import Settings
from llmflow.errors import ToolRefused
from llmflow.tools import SearchResult, idempotency_key, search_folder, tool
from workflows.support import bank
from workflows.support.schemas import Order, Receipt

_HERE = Path(__file__).parent


@tool
def search_handbook(query: str) -> SearchResult:
    """Find the passages of the shop's handbook that fit a question."""
    return search_folder(query, "knowledge", limit=3, root=_HERE, index=Settings.load().home / "index")


@tool
def find_order(number: str) -> Order:
    """Look an order up."""
    orders = bank.orders()
    if number not in orders:
        near = get_close_matches(number, orders, n=1)
        raise ToolRefused(f"there is no order {number}{f' (did you mean `{near[0]}`?)' if near else ''}")
    return orders[number]


@tool(effect=True)
def pay_refund(order: str, amount: int) -> Receipt:
    """Pay money back, whole euros."""
    return bank.pay(idempotency_key(), order, amount)
