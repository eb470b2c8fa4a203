"""Tools of the claims desk: two that read, and five that change the world."""

from llmflow.errors import ToolRefused
from llmflow.tools import idempotency_key, tool
from workflows.claims import bank
from workflows.claims.schemas import Claim, Letter
from workflows.documents import inside, text_of

_MAX_BYTES = 100_000


@tool
def list_letters(folder: str) -> list[str]:
    """List the letters of a folder."""
    found = sorted(path.name for path in inside(folder).glob("*.txt"))
    if not found:
        raise ToolRefused(f"`{folder}` holds no letters (*.txt): name another folder")
    return found


@tool
def read_letter(folder: str, path: str) -> Letter:
    """Read one letter."""
    return Letter(path=path, text=text_of(inside(f"{folder}/{path}").read_bytes()[:_MAX_BYTES]))


@tool(effect=True)
def reserve_money(claim: Claim) -> None:
    """Put the money of a claim aside."""
    bank.reserve(idempotency_key(), claim)


@tool(effect=True)
def release_money(claim: Claim) -> None:
    """Release the money of a claim."""
    bank.release(idempotency_key(), claim)


@tool(effect=True)
def announce_payment(claim: Claim) -> None:
    """Write that a claim is paid."""
    bank.write(idempotency_key(), "letter", claim, f"We pay {claim.cents} cents for claim {claim.number}.")


@tool(effect=True)
def withdraw_letter(claim: Claim) -> None:
    """Write that the payment of a claim is late."""
    text = f"We cannot pay claim {claim.number} yet: please check your account."
    bank.write(idempotency_key(), "correction", claim, text)


@tool(effect=True)
def pay_claim(claim: Claim) -> None:
    """Pay a claim."""
    bank.pay(idempotency_key(), claim)
