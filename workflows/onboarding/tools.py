"""Tools of an onboarding. Each is idempotent, so it can be retried."""

from llmflow.tools import idempotency_key, tool
from workflows.onboarding.office import effect
from workflows.onboarding.schemas import Account, Order, System


@tool(effect=True)
def send_mail(to: str, subject: str, text: str) -> str:
    """Send a mail; returns its number."""
    return effect(idempotency_key(), "mail", to=to, subject=subject, text=text)


@tool(effect=True)
def create_account(system: System, name: str) -> Account:
    """Create an account for a colleague."""
    login = ".".join(name.lower().split())
    effect(idempotency_key(), "account", system=system, login=login)
    return Account(system=system, login=login)


@tool(effect=True)
def order_equipment(name: str, items: list[str]) -> Order:
    """Order what a colleague needs."""
    return Order(number=effect(idempotency_key(), "order", name=name, items=items), items=items)
