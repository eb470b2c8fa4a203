"""Tools of the agents. In a module without workflows, so that the sandbox does not import it anew for each run."""

from bench.schemas import found_order
from llmflow.tools import tool


@tool
async def look_up(number: int) -> str:
    """Look up an order by its number."""
    return found_order(number)


@tool(local=True)
async def look_up_here(number: int) -> str:
    """Look up an order by its number."""
    return found_order(number)
