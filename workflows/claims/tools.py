"""Tools of the claims desk: two that read, and five that change the world."""

from pathlib import Path

from llmflow.errors import ToolRefused
from llmflow.tools import idempotency_key, tool
from workflows.claims import bank
from workflows.claims.schemas import Claim, Letter
from workflows.documents import VARIABLE, readable

_MAX_BYTES = 100_000


@tool
def list_letters(folder: str) -> list[str]:
    """List the letters of a folder."""
    found = sorted(path.name for path in _inside(folder).glob("*.txt"))
    if not found:
        raise ToolRefused(f"`{folder}` holds no letters (*.txt): name another folder")
    return found


@tool
def read_letter(folder: str, path: str) -> Letter:
    """Read one letter."""
    data = _inside(f"{folder}/{path}").read_bytes()[:_MAX_BYTES]
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ToolRefused(f"it is not UTF-8 text: byte {error.start} cannot be read") from None
    if not text.strip():
        raise ToolRefused("it is empty")
    return Letter(path=path, text=text)


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


def _inside(path: str) -> Path:
    """Return a path that the worker may read."""
    top = readable()
    found = (top / path).resolve()
    if not found.is_relative_to(top) or not found.exists():
        raise ToolRefused(f"there is no `{path}` in {top}, the folder that may be read ({VARIABLE})")
    return found
