"""A tool whose effect a test can count."""

from llmflow.errors import ToolRefused
from llmflow.tools import tool

published: list[str] = []


@tool
async def publish(text: str) -> int:
    """Publish a text; how long it is."""
    published.append(text)
    return len(text)


done: list[str] = []
"""Everything that the tools below have done to the world, in order."""


@tool
async def reserve(number: str, usd: int) -> str:
    """Reserve money for a claim."""
    done.append(f"reserve {number} {usd}")
    return f"reserved {usd} for {number}"


@tool
async def release(number: str, usd: int) -> None:
    """Release the money of a claim."""
    done.append(f"release {number} {usd}")


@tool
async def pay(number: str, usd: int) -> str:
    """Pay a claim."""
    if usd > 100:
        raise ToolRefused("the account is empty")
    done.append(f"pay {number} {usd}")
    return f"paid {usd} to {number}"


@tool
async def refund(number: str, usd: int) -> None:
    """Take a payment back."""
    if usd <= 100:
        done.append(f"refund {number} {usd}")


@tool(effect=True)
async def archive(text: str) -> int:
    """File a report."""
    done.append(f"archive {len(text)}")
    return len(done)
